#include "firmware-tests/support/wait.h"

#include <cstdlib>
#include <ctime>

namespace weir {

int64_t monotonic_us() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000;
}

int64_t monotonic_ms() { return monotonic_us() / 1000; }

void sleep_ms(int64_t duration_ms) {
  timespec time{};
  time.tv_sec = duration_ms / 1000;
  time.tv_nsec = static_cast<decltype(time.tv_nsec)>((duration_ms % 1000) * 1'000'000);
  nanosleep(&time, nullptr);
}

int64_t patience() {
  static const int64_t factor = [] {
    const char* text = getenv("WEIR_TEST_PATIENCE");
    const long number = text != nullptr ? strtol(text, nullptr, 10) : 0;
    return number > 0 ? int64_t{number} : int64_t{1};
  }();
  return factor;
}

bool eventually(int64_t deadline_ms, FunctionRef<bool()> predicate, int64_t pause_ms) {
  const int64_t end_ms = monotonic_ms() + deadline_ms * patience();
  while (!predicate()) {
    if (monotonic_ms() >= end_ms) return predicate();
    sleep_ms(pause_ms);
  }
  return true;
}

}  // namespace weir
