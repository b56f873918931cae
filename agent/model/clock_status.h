// ClockStatus: what `weir status` shows of the wall clock.
#pragma once

#include "agent/base/clock.h"

namespace weir {

struct ClockStatus {
  ClockSync sync = ClockSync::Unknown;
  bool plausible = false;    // false: it was never set
  uint64_t steps = 0;        // times it was set by a second or more, forward or back
  int64_t last_step_ms = 0;  // of the newest of these; negative: back
};

/// "synchronised", "unsynchronised", "unknown"
constexpr const char* clock_sync_name(ClockSync sync) {
  if (sync == ClockSync::Synchronised) return "synchronised";
  return sync == ClockSync::Unsynchronised ? "unsynchronised" : "unknown";
}

}  // namespace weir
