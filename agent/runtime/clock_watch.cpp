#include "agent/runtime/clock_watch.h"

#include <cstdlib>

#include "agent/base/log.h"

namespace weir {

void ClockWatch::observe(Now& now, Clock& clock) {
  if (!begun_ || now.boot_ms - asked_boot_ms_ >= ask_every_ms) ask(now, clock);
  look_for_step(now);
  status_.plausible = now.wall_ms >= earliest_plausible_wall_ms;
  now.unsynchronised = status_.sync == ClockSync::Unsynchronised || !status_.plausible;
  begun_ = true;
}

void ClockWatch::ask(const Now& now, Clock& clock) {
  asked_boot_ms_ = now.boot_ms;
  const ClockSync sync = clock.sync();
  if (sync == ClockSync::Unsynchronised && (!begun_ || status_.sync != sync))
    log(LogLevel::Notice, "the wall clock is not synchronised; arrival times may be wrong");
  if (sync == ClockSync::Synchronised && begun_ && status_.sync != sync)
    log(LogLevel::Notice, "the wall clock is synchronised now");
  status_.sync = sync;
}

/// Both clocks run at one pace, which NTP corrects for both: their difference changes only when the wall clock is set.
void ClockWatch::look_for_step(const Now& now) {
  const int64_t difference_ms = now.wall_ms - now.boot_ms;
  const int64_t step_ms = difference_ms - difference_ms_;
  difference_ms_ = difference_ms;
  if (!begun_ || std::abs(step_ms) < step_ms_min) return;
  ++status_.steps;
  status_.last_step_ms = step_ms;
  log(LogLevel::Notice, "the wall clock was set %s by %.3f s; no interval moves", step_ms < 0 ? "back" : "forward",
      static_cast<double>(std::abs(step_ms)) / 1000);
}

}  // namespace weir
