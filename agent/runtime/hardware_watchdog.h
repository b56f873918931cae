// HardwareWatchdog: /dev/watchdog, which resets the machine unless somebody writes to it in time. Opening it arms it; only one
// process can have it open. A close after the letter V disarms it ("magic close"), any other leaves it armed, which is meant:
// a machine whose agent cannot be brought back is to start anew. Owned by `weir supervise`; one thread; nothing allocates.
// Source of the interface: the kernel's Documentation/watchdog/watchdog-api.rst.
#pragma once

#include <cstdint>

#include "agent/base/status.h"

namespace weir {

class HardwareWatchdog {
 public:
  HardwareWatchdog() = default;
  ~HardwareWatchdog() { leave(); }
  HardwareWatchdog(const HardwareWatchdog&) = delete;
  HardwareWatchdog& operator=(const HardwareWatchdog&) = delete;

  /// Arms it and asks for `timeout_ms`, whole seconds. The driver may round, or have one of its own that cannot be set: then it
  /// is that one; a file that is no watchdog counts as a driver without a say.
  Status open(const char* path, int64_t timeout_ms);
  bool is_open() const { return fd_ >= 0; }
  int64_t timeout_ms() const { return timeout_ms_; }
  /// Four times within the timeout.
  int64_t pet_every_ms() const { return timeout_ms_ / 4; }
  Status pet();
  /// Magic close.
  void disarm();
  /// Closes it armed.
  void leave();

 private:
  int fd_ = -1;
  int64_t timeout_ms_ = 0;
};

}  // namespace weir
