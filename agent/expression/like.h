// The `like` operator: % matches any run of characters, _ one character (a UTF-8 sequence), \ takes the next character as it
// is.
#pragma once

#include <string_view>

namespace weir {

/// At most (length of text) x (length of pattern) steps: only the last % seen is ever tried again. A \ that ends the pattern
/// stands for itself.
bool like_matches(std::string_view text, std::string_view pattern);

}  // namespace weir
