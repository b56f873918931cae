// Letters as the expression language knows them. Not <cctype>: the locale must have no say.
#pragma once

#include <algorithm>
#include <string_view>

namespace weir {

inline char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Whether `name` in lower case is `lower`.
inline bool equals_ignoring_case(std::string_view name, std::string_view lower) {
  return std::equal(name.begin(), name.end(), lower.begin(), lower.end(), [](char a, char b) { return ascii_lower(a) == b; });
}

}  // namespace weir
