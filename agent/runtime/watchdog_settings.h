// What the environment and the configuration say about the watchdog, as sd_watchdog_enabled(3) reads it.
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace weir {

struct WatchdogSettings {
  int64_t limit_ms = 0;     // 0: there is none
  bool beats = false;       // a service manager waits for WATCHDOG=1
  bool aborts = false;      // the agent ends itself when the limit is over
  bool wrong_text = false;  // WATCHDOG_USEC was there, and is no number of microseconds
};

/// `usec` and `pid` as WATCHDOG_USEC and WATCHDOG_PID have them, nullptr where they are not set; `self` is our own pid: a
/// variable that is meant for another process is none of ours. `configured_ms` is agent.watchdog, 0 for off. The shorter limit
/// counts.
WatchdogSettings watchdog_settings(int64_t configured_ms, const char* usec, const char* pid, pid_t self);

}  // namespace weir
