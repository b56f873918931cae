// MQTT topics and topic filters (MQTT 5, section 4.7), level by level. `$share/GROUP/` in front of a filter does not count.
#pragma once

#include <string_view>

namespace weir {

constexpr std::string_view share_prefix = "$share/";

/// The filter behind `$share/GROUP/`; empty if that ends too early.
std::string_view without_share(std::string_view filter);

/// Takes the next level from the front, with its slash; `more` says whether another one follows.
std::string_view take_level(std::string_view& rest, bool& more);

/// Whether `topic` matches. Requires a well-formed filter.
bool topic_matches(std::string_view filter, std::string_view topic);

}  // namespace weir
