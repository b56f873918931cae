// The share of its way to a new level that something has gone which approaches it exponentially. Equal bits on every
// architecture; pure, constant time.
#pragma once

#include "agent/base/elementary.h"

namespace weir {

/// 1 - e^-x for x >= 0 (also infinite), to the last few bits also where x is tiny: there by the Taylor series, as e^-x would
/// have lost the digits that matter. The first term left out is below x^14 / 14!, 2^-49 of the result.
inline double gained_share(double x) {
  if (x > 0.5) return 1 - elementary::exp(-x);
  double series = 0;
  for (int term = 14; term >= 1; --term) series = x / term * (1 - series);
  return series;
}

}  // namespace weir
