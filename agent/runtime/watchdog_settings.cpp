#include "agent/runtime/watchdog_settings.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weir {
namespace {

/// 0 if the text is anything but a positive number.
int64_t positive_number(const char* text) {
  int64_t number = 0;
  const char* end = text + strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  return error == std::errc{} && stop == end && number > 0 ? number : 0;
}

}  // namespace

WatchdogSettings watchdog_settings(int64_t configured_ms, const char* usec, const char* pid, pid_t self) {
  WatchdogSettings settings{.limit_ms = configured_ms, .aborts = configured_ms > 0};
  if (usec == nullptr || (pid != nullptr && positive_number(pid) != self)) return settings;
  const int64_t microseconds = positive_number(usec);
  settings.wrong_text = microseconds == 0;
  if (microseconds == 0) return settings;
  settings.beats = true;
  const int64_t manager_ms = std::max<int64_t>(microseconds / 1000, 1);
  settings.limit_ms = configured_ms > 0 ? std::min(configured_ms, manager_ms) : manager_ms;
  return settings;
}

}  // namespace weir
