// MQTT topic filters (MQTT 5, section 4.7 and 4.8.2) as the configuration needs them: are they well-formed, do two of them
// match a common topic, how many levels have the topics they match.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

/// Why `filter` is malformed, or nullptr. `$share/GROUP/FILTER` is allowed.
const char* topic_filter_problem(std::string_view filter);

/// Whether there is a topic that both match. Requires well-formed filters. The groups of shared subscriptions do not count.
bool topic_filters_overlap(std::string_view a, std::string_view b);

/// The levels that every topic matched by a well-formed filter has at least; `unbounded` says whether it may have more.
size_t topic_filter_levels(std::string_view filter, bool& unbounded);

}  // namespace weir
