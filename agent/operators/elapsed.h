// Differences and sums of event times that may be any number: they stop at the ends of the range instead of overflowing.
#pragma once

#include <cstdint>

namespace weir {

/// to_ms - from_ms.
inline int64_t elapsed_ms(int64_t from_ms, int64_t to_ms) {
  int64_t elapsed = 0;
  if (__builtin_sub_overflow(to_ms, from_ms, &elapsed)) return to_ms > from_ms ? INT64_MAX : INT64_MIN;
  return elapsed;
}

/// time_ms + by_ms.
inline int64_t later_ms(int64_t time_ms, int64_t by_ms) {
  int64_t later = 0;
  if (__builtin_add_overflow(time_ms, by_ms, &later)) return by_ms > 0 ? INT64_MAX : INT64_MIN;
  return later;
}

}  // namespace weir
