// nearest_name: "did you mean ...?" for keys, fields and functions. Start-up only (allocates).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir {

/// The candidate with the smallest edit distance to `name` (insert, delete, replace, swap of neighbours), if that is at most a
/// third of the longer name's length (at least 1); otherwise empty. Ties go to the earlier candidate.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

/// What others call something of ours.
struct OtherName {
  const char* theirs;
  const char* ours;
};

/// The candidate that is `name` but for upper and lower case, or for which `name` is another name in use; otherwise the
/// nearest.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates, std::span<const OtherName> others);

}  // namespace weir
