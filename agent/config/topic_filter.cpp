#include "agent/config/topic_filter.h"

#include "agent/model/topic_match.h"

namespace weir {
namespace {

constexpr size_t topic_bytes_max = 65535;

bool is_wildcard(std::string_view level) { return level == "+" || level == "#"; }

const char* levels_problem(std::string_view filter) {
  for (bool more = true; more;) {
    std::string_view level = take_level(filter, more);
    if (level.find('#') != std::string_view::npos && (level != "#" || more)) return "\"#\" stands alone and last";
    if (level.find('+') != std::string_view::npos && level != "+") return "\"+\" stands alone between slashes";
  }
  return nullptr;
}

}  // namespace

const char* topic_filter_problem(std::string_view filter) {
  if (filter.empty()) return "it is empty";
  if (filter.size() > topic_bytes_max) return "it is longer than 65535 bytes";
  if (filter.find('\0') != std::string_view::npos) return "it contains the character U+0000";
  if (filter.starts_with(share_prefix)) {
    std::string_view group = filter.substr(share_prefix.size());
    group = group.substr(0, group.find('/'));
    if (group.empty() || group.find_first_of("+#") != std::string_view::npos || without_share(filter).empty())
      return "a shared subscription is written $share/GROUP/FILTER";
  }
  return levels_problem(without_share(filter));
}

bool topic_filters_overlap(std::string_view a, std::string_view b) {
  a = without_share(a);
  b = without_share(b);
  bool first = true;
  for (bool more_a = true, more_b = true;; first = false) {
    std::string_view level_a = take_level(a, more_a);
    std::string_view level_b = take_level(b, more_b);
    // A wildcard at the front matches no topic that begins with $.
    if (first && ((is_wildcard(level_a) && level_b.starts_with("$")) || (is_wildcard(level_b) && level_a.starts_with("$"))))
      return false;
    if (level_a == "#" || level_b == "#") return true;
    if (level_a != level_b && level_a != "+" && level_b != "+") return false;
    if (!more_a && !more_b) return true;
    // "sport/#" also matches "sport" itself.
    if (!more_a) return b == "#";
    if (!more_b) return a == "#";
  }
}

size_t topic_filter_levels(std::string_view filter, bool& unbounded) {
  filter = without_share(filter);
  size_t levels = 0;
  unbounded = false;
  for (bool more = true; more;) {
    unbounded = take_level(filter, more) == "#";
    if (!unbounded) ++levels;
  }
  return levels;
}

}  // namespace weir
