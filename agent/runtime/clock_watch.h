// ClockWatch: what becomes of the wall clock while the agent runs: whether it is synchronised, and how often it was set.
// Nothing is done about it here; intervals run on CLOCK_BOOTTIME, and a pipeline's time is a PipelineClock. Owned by the
// reactor; its thread only; asks the system once a second.
#pragma once

#include "agent/model/clock_status.h"

namespace weir {

class ClockWatch {
 public:
  /// Whoever sets a clock by less is NTP, which does so all the time.
  static constexpr int64_t step_ms_min = 1000;
  static constexpr int64_t ask_every_ms = 1000;

  /// Looks at a reading and completes it.
  void observe(Now& now, Clock& clock);
  const ClockStatus& status() const { return status_; }

 private:
  void ask(const Now& now, Clock& clock);
  void look_for_step(const Now& now);

  ClockStatus status_;
  bool begun_ = false;
  int64_t difference_ms_ = 0;  // wall less boot, at the last reading
  int64_t asked_boot_ms_ = 0;
};

}  // namespace weir
