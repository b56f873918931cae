#include "agent/model/topic_match.h"

namespace weir {
namespace {

std::string_view without_group(std::string_view filter) {
  constexpr std::string_view share = "$share/";
  if (!filter.starts_with(share)) return filter;
  const size_t end = filter.find('/', share.size());
  return end == std::string_view::npos ? filter : filter.substr(end + 1);
}

/// Takes the first level off, with its slash; `more` says whether there was one.
std::string_view take_level(std::string_view& rest, bool& more) {
  const size_t end = rest.find('/');
  std::string_view level = rest.substr(0, end);
  more = end != std::string_view::npos;
  rest = more ? rest.substr(end + 1) : std::string_view();
  return level;
}

}  // namespace

bool topic_matches(std::string_view filter, std::string_view topic) {
  filter = without_group(filter);
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
