#include "agent/status/utc_text.h"

#include <chrono>

namespace weir {

/// By the calendar alone: gmtime_r reads the time zone's file first, which uses the heap.
void append_utc(TextWriter& out, int64_t wall_ms) {
  using std::chrono::days;
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(wall_ms)};
  const std::chrono::year_month_day date{floor<days>(time)};
  const std::chrono::hh_mm_ss clock{floor<std::chrono::seconds>(time - floor<days>(time))};
  out.printf("%04d-%02u-%02uT%02d:%02d:%02dZ", int{date.year()}, unsigned{date.month()}, unsigned{date.day()},
             static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
             static_cast<int>(clock.seconds().count()));
}

}  // namespace weir
