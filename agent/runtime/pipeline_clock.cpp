#include "agent/runtime/pipeline_clock.h"

#include <algorithm>

namespace weir {

int64_t PipelineClock::at(Now now) {
  if (!settled_) settle(now);
  newest_ms_ = std::max(newest_ms_, offset_ms_ + now.boot_ms);
  return newest_ms_;
}

void PipelineClock::settle(Now now) {
  const bool plausible = now.wall_ms >= earliest_plausible_wall_ms;
  const bool believable = plausible && !now.unsynchronised;
  const bool never_set = offset_ms_ + now.boot_ms < earliest_plausible_wall_ms;
  if (!begun_) offset_ms_ = std::max(now.wall_ms, newest_ms_) - now.boot_ms;
  if (begun_ && (believable || (plausible && never_set))) offset_ms_ = std::max(offset_ms_, now.wall_ms - now.boot_ms);
  begun_ = true;
  if (!believable) return;
  settled_ = true;
  ahead_ms_ = offset_ms_ + now.boot_ms - now.wall_ms;
}

void PipelineClock::on_tick(Now now) {
  const int64_t lost_ms = std::min(ahead_ms_, lost_per_tick_ms);
  offset_ms_ -= lost_ms;
  ahead_ms_ -= lost_ms;
  (void)at(now);
}

}  // namespace weir
