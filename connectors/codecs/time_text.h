// Times as devices write them, to milliseconds since 1970-01-01 UTC. Pure functions, no heap, no clock; time zones are handed
// in.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/model/source_field.h"

namespace weir {

struct TimeReading {
  int64_t epoch_ms = 0;
  const char* expected = nullptr;  // nullptr: read. Otherwise a constant that says what was expected instead.
};

/// A count of `format`'s units since the epoch, cut down (towards the past) to the millisecond. Requires that `format` is
/// neither Rfc3339 nor Local. Refuses what does not fit 64 bits of milliseconds.
TimeReading time_from_int(TimeFormat format, int64_t count);

/// As above for a count with a fraction. Seconds are rounded to the microsecond before they are cut, for a double does not
/// hold most decimal fractions: 1276020076.001 must not lose its millisecond.
TimeReading time_from_float(TimeFormat format, double count);

/// An RFC 3339 time: years 0000 to 9999, `T`, `t` or a space between date and time, up to nine digits of fraction (cut to the
/// millisecond), an offset, which is required. A leap second (23:59:60 UTC) becomes the last millisecond before it.
TimeReading time_from_rfc3339(std::string_view text);

/// The same without an offset, which is refused: what a wall clock of `zone` shows. Of a time that comes twice, because clocks
/// are set back, the earlier instant; for one that never comes, because they are set forward, the instant of that change. No
/// leap second.
TimeReading time_from_local(std::string_view text, const TimeZone& zone);

}  // namespace weir
