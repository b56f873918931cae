// Sums of times that stop at the ends of int64 instead of leaving it, so that no event time is undefined.
#pragma once

#include <cstdint>

namespace weir {

constexpr int64_t saturating_add(int64_t time_ms, int64_t more_ms) {
  int64_t sum = 0;
  if (!__builtin_add_overflow(time_ms, more_ms, &sum)) return sum;
  return more_ms > 0 ? INT64_MAX : INT64_MIN;
}

constexpr int64_t saturating_subtract(int64_t time_ms, int64_t less_ms) {
  int64_t difference = 0;
  if (!__builtin_sub_overflow(time_ms, less_ms, &difference)) return difference;
  return less_ms > 0 ? INT64_MIN : INT64_MAX;
}

}  // namespace weir
