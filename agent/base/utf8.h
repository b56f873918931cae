// UTF-8 (RFC 3629): what weir accepts as text. Overlong forms, surrogates and values above U+10FFFF are refused.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

/// The length in bytes of the well-formed sequence that `text` begins with, 0 if it begins with none.
size_t utf8_sequence_length(std::string_view text);

bool utf8_valid(std::string_view text);

}  // namespace weir
