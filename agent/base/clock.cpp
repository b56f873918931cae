#include "agent/base/clock.h"

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

}  // namespace weir
