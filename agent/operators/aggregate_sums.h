// Sums as aggregates keep them: plain bytes, all zero when empty, mergeable. Header only; constant time.
#pragma once

#include <cmath>
#include <cstdint>

#include "agent/model/value.h"

namespace weir {

inline Value finite_or_null(double value) { return std::isfinite(value) ? Value::of_float(value) : Value::null(); }

/// Of an int or a float.
inline double as_double(const Value& number) {
  return number.type() == Type::Int ? static_cast<double>(number.as_int()) : number.as_float();
}

/// left - right, rounded once; ints may be any.
inline double difference(int64_t left, int64_t right) {
  const auto above = static_cast<uint64_t>(left) - static_cast<uint64_t>(right);
  return left >= right ? static_cast<double>(above) : -static_cast<double>(0 - above);
}
inline double difference(double left, double right) { return left - right; }

/// A running sum with Neumaier's correction: the error of each addition is kept and added at the end.
struct CompensatedSum {
  double sum = 0;
  double correction = 0;

  void add(double value) {
    const double next = sum + value;
    if (std::fabs(sum) >= std::fabs(value))
      correction += (sum - next) + value;
    else
      correction += (value - next) + sum;
    sum = next;
  }
  void add(const CompensatedSum& other) {
    add(other.sum);
    correction += other.correction;
  }
  double total() const { return sum + correction; }
  Value value() const { return finite_or_null(total()); }
};
static_assert(sizeof(CompensatedSum) == 16);

/// The exact sum of ints as a two's complement number of 128 bits. It cannot overflow, so neither the order of the ints nor
/// where they were split decides whether the result fits.
struct WideSum {
  uint64_t low = 0;
  uint64_t high = 0;

  void add(int64_t number) { add(WideSum{static_cast<uint64_t>(number), number < 0 ? UINT64_MAX : 0}); }
  void add(const WideSum& other) {
    const bool carry = __builtin_add_overflow(low, other.low, &low);
    high += other.high + (carry ? 1 : 0);
  }
  /// Null if it does not fit an int.
  Value value() const {
    const bool fits = high == (static_cast<int64_t>(low) < 0 ? UINT64_MAX : 0);
    return fits ? Value::of_int(static_cast<int64_t>(low)) : Value::null();
  }
};
static_assert(sizeof(WideSum) == 16);

}  // namespace weir
