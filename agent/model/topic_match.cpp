#include "agent/model/topic_match.h"

namespace weir {
std::string_view take_level(std::string_view& rest, bool& more) {
  size_t slash = rest.find('/');
  std::string_view level = rest.substr(0, slash);
  more = slash != std::string_view::npos;
  rest = more ? rest.substr(slash + 1) : std::string_view();
  return level;
}

std::string_view without_share(std::string_view filter) {
  if (!filter.starts_with(share_prefix)) return filter;
  size_t slash = filter.find('/', share_prefix.size());
  return slash == std::string_view::npos ? std::string_view() : filter.substr(slash + 1);
}

bool topic_matches(std::string_view filter, std::string_view topic) {
  filter = without_share(filter);
  const bool system_topic = topic.starts_with('$');
  if (system_topic && (filter.starts_with('+') || filter.starts_with('#'))) return false;
  for (bool more_filter = true, more_topic = true; more_filter;) {
    const std::string_view wanted = take_level(filter, more_filter);
    if (wanted == "#") return true;
    if (!more_topic) return false;
    const std::string_view level = take_level(topic, more_topic);
    if (wanted != "+" && wanted != level) return false;
    // "a/#" also matches "a".
    if (!more_topic && more_filter) return filter == "#";
    if (more_topic && !more_filter) return false;
  }
  return true;
}

}  // namespace weir
