// Spread: count, mean and squared deviations of numbers, from which mean and standard deviation follow. Plain values; header
// only.
#pragma once

#include <cmath>

#include "agent/operators/sample_ring.h"

namespace weir {

struct Spread {
  uint64_t count = 0;
  double mean = 0;
  double squares = 0;  // sum of (value - mean)^2

  /// Welford's step (Knuth, "The Art of Computer Programming", volume 2, 4.2.2): no difference of large sums is ever taken.
  void add(double value) {
    ++count;
    const double before = value - mean;
    mean += before / static_cast<double>(count);
    squares += before * (value - mean);
  }
  /// Of the sample (divided by count - 1); requires count >= 2.
  double deviation() const { return std::sqrt(squares / static_cast<double>(count - 1)); }
  bool finite() const { return std::isfinite(mean) && std::isfinite(squares); }
};
static_assert(sizeof(Spread) == 24);

/// Of all samples of a ring, in two passes: the mean first, as exact as a double can be, then the distances from it.
inline Spread spread_of(const SampleRing& ring, const uint8_t* at) {
  Spread spread;
  spread.count = ring.count(at);
  if (spread.count == 0) return spread;
  spread.mean = ring.mean(at);
  for (uint32_t index = 0; index < spread.count; ++index) {
    const double distance = ring.value(at, index) - spread.mean;
    spread.squares += distance * distance;
  }
  return spread;
}

}  // namespace weir
