// TimeZone: what the clocks on the wall show at an instant, and which instant a wall clock means. A table of the changes of the
// offset from 1970 to 2100, made once while the agent starts by asking the C library; after that every question is a binary
// search in memory: no heap, no file, no environment, so that any thread may ask at any time.
//
// Before 1970 the offset of 1970-01-01 is taken, after 2100 that of its end. Times are milliseconds, "local" ones those that a
// wall clock shows, counted as if it were UTC; sums saturate at the ends of int64_t.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/base/status.h"

namespace weir {

class TimeZone {
 public:
  /// UTC.
  TimeZone();

  /// By "UTC", an IANA name ("Europe/Vienna"), a fixed offset ("+05:30", east of Greenwich is plus) or a POSIX TZ string
  /// ("CET-1CEST,M3.5.0,M10.5.0/3"). InvalidArgument: it is none of these, or no such zone is known; NotFound: it may be an
  /// IANA name, but this machine has no time zone data. Start-up only, while there is one thread: sets TZ for a moment. Some
  /// ten thousand calls of localtime_r.
  static Result<TimeZone> load(const std::string& name);

  /// What is added to UTC to get local time.
  int64_t offset_ms(int64_t utc_ms) const;
  int64_t local_of(int64_t utc_ms) const;
  /// The earliest instant at which a wall clock shows `local_ms` or later: of a time that comes twice, because clocks are set
  /// back, the earlier one; for a time that never comes, because they are set forward, the instant just after the gap. So the
  /// difference of two local midnights is a day as it is lived, of 23 or 25 hours where the clocks change.
  int64_t utc_of_local(int64_t local_ms) const;
  /// The greatest local time that a wall clock has shown up to this instant: the greatest one whose utc_of_local() is not after
  /// it. The same as local_of() but while an hour comes for the second time: then the end of that hour.
  int64_t latest_local_of(int64_t utc_ms) const;

  const std::string& name() const { return name_; }

 private:
  struct Span {
    int64_t begin_utc_ms;  // up to the next one's
    int64_t offset_ms;
  };

  void read_from_library();
  size_t span_at(int64_t utc_ms) const;

  std::string name_ = "UTC";
  std::vector<Span> spans_;  // the first begins at INT64_MIN
};

}  // namespace weir
