// nearest_name: "did you mean ...?" for keys, fields and functions. Start-up only (allocates).
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace weir {

/// The candidate with the smallest edit distance to `name` (insert, delete, replace, swap of neighbours), if that is at most a
/// third of the longer name's length (at least 1); otherwise empty. Ties go to the earlier candidate.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace weir
