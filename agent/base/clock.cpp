#include "agent/base/clock.h"

#include <sys/timex.h>
#include <unistd.h>

#include <ctime>

namespace weir {
namespace {

int64_t read_ms(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return static_cast<int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace

Now SystemClock::now() { return {read_ms(CLOCK_BOOTTIME), read_ms(CLOCK_REALTIME)}; }

ClockSync SystemClock::sync() {
  timex state{};
  if (adjtimex(&state) >= 0) return (state.status & STA_UNSYNC) != 0 ? ClockSync::Unsynchronised : ClockSync::Synchronised;
  return access("/run/systemd/timesync/synchronized", F_OK) == 0 ? ClockSync::Synchronised : ClockSync::Unknown;
}

}  // namespace weir
