// PipelineClock: the time of day as a pipeline sees it: that of its arrivals, and its processing time. It runs at the pace of
// CLOCK_BOOTTIME and never goes back, so that no timer moves and no window is missed when the wall clock is set.
//
// It begins with the wall clock, or where the last run left off if that is later: after a boot in 1970 it goes on from the
// newest checkpoint's time. It follows the wall clock, and only forward, as long as that was not to be believed when it began:
// to the first plausible time, and to the time at which the clock is synchronised. After that it listens to the wall clock no
// more. Where it is ahead of a clock that is to be believed it loses a tenth of a second in each second, until it is not.
//
// Owned by the pipeline, which makes it part of its checkpoints; time is an argument.
#pragma once

#include "agent/base/clock.h"

namespace weir {

class PipelineClock {
 public:
  static constexpr int64_t lost_per_tick_ms = 100;

  /// The newest time of the run before. Before the first at().
  void restore(int64_t newest_ms) { newest_ms_ = newest_ms; }
  /// INT64_MIN: none was asked for yet.
  int64_t newest_ms() const { return newest_ms_; }

  /// ms since 1970.
  int64_t at(Now now);
  /// Once a second.
  void on_tick(Now now);
  /// How far it is ahead of the wall clock, which it lets catch up.
  int64_t ahead_ms() const { return ahead_ms_; }

 private:
  void settle(Now now);

  int64_t newest_ms_ = INT64_MIN;  // that was given out
  int64_t offset_ms_ = 0;          // its time less CLOCK_BOOTTIME
  int64_t ahead_ms_ = 0;
  bool begun_ = false;
  bool settled_ = false;
};

}  // namespace weir
