// Whether an MQTT topic matches a topic filter (MQTT 5, section 4.7); `$share/GROUP/` in front of a filter does not count.
#pragma once

#include <string_view>

namespace weir {

/// Requires a well-formed filter.
bool topic_matches(std::string_view filter, std::string_view topic);

}  // namespace weir
