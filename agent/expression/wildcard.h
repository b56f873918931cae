// The patterns of `like` and of `matches`. Linear in memory and bounded in time: at most as many steps as the length of the
// text times that of the pattern.
#pragma once

#include <cstddef>
#include <string_view>

namespace weir {

/// The position after the character at `position`; total also for bytes that are not UTF-8.
size_t next_character(std::string_view text, size_t position);

/// `%` is any run of characters, `_` is one, `\` takes the next character of the pattern as it is.
bool like_matches(std::string_view text, std::string_view pattern);

/// `*` is any run of characters, `?` is one, `[a-z_]` one of a set and `[!a-z]` or `[^a-z]` one that is not; `\` takes the next
/// character as it is, also in a set. A `]` right at the beginning of a set belongs to it; a `[` that is not closed is itself.
bool glob_matches(std::string_view text, std::string_view pattern);

}  // namespace weir
