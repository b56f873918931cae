// The spellings of a time zone that is no IANA name. Pure functions over text, without the C library: that takes UTC without a
// word for whatever it does not understand.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace weir {

/// "+05:30", "-03", in milliseconds east of Greenwich; at most 18 hours either way.
std::optional<int64_t> fixed_offset_ms(std::string_view text);

/// Whether `text` follows the grammar of POSIX TZ strings (POSIX.1-2017, 8.3): a name of three letters or more or <...>, an
/// offset, and, for a zone with daylight saving, its name and both rules. Without rules the C library would take those of some
/// other country, so they are asked for.
bool is_posix_zone(std::string_view text);

}  // namespace weir
