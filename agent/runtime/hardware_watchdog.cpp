#include "agent/runtime/hardware_watchdog.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace weir {

Status HardwareWatchdog::open(const char* path, int64_t timeout_ms) {
  // Without O_NONBLOCK the opening of a FIFO would wait for a reader.
  fd_ = ::open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) return {Code::Io, "cannot open the watchdog device", errno};
  int seconds = static_cast<int>(std::max<int64_t>(timeout_ms / 1000, 1));
  if (ioctl(fd_, WDIOC_SETTIMEOUT, &seconds) != 0 && ioctl(fd_, WDIOC_GETTIMEOUT, &seconds) != 0) {
    timeout_ms_ = timeout_ms;
  } else {
    timeout_ms_ = int64_t{1000} * std::max(seconds, 1);
  }
  return pet();
}

Status HardwareWatchdog::pet() {
  if (write(fd_, "\n", 1) == 1) return {};
  return {Code::Io, "cannot write to the watchdog device", errno};
}

void HardwareWatchdog::disarm() {
  if (fd_ < 0) return;
  if (write(fd_, "V", 1) != 1) {
    // It stays armed then, which is the safe side.
  }
  leave();
}

void HardwareWatchdog::leave() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

}  // namespace weir
