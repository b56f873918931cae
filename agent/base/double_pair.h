// DoublePair: a number of about 106 bits as the unevaluated sum of two doubles, the second at most half of the last place of
// the first. The error of an operation is a few parts in 2^104 of its result. Algorithms: T. J. Dekker, "A floating-point
// technique for extending the available precision" (1971); M. Joldes, J.-M. Muller, V. Popescu, "Tight and rigorous error
// bounds for basic building blocks of double-word arithmetic" (2017). Needs -ffp-contract=off and values between 2^-900 and
// 2^990.
#pragma once

namespace weir {

struct DoublePair {
  double high = 0;
  double low = 0;
};

/// Requires |a| >= |b|, or a == 0.
constexpr DoublePair exact_sum_ordered(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}

constexpr DoublePair exact_sum(double a, double b) {
  const double sum = a + b;
  const double of_b = sum - a;
  return {sum, (a - (sum - of_b)) + (b - of_b)};
}

/// `value` as two numbers of at most 26 bits.
constexpr DoublePair halves(double value) {
  const double scaled = value * 134217729.0;  // 2^27 + 1
  const double high = scaled - (scaled - value);
  return {high, value - high};
}

constexpr DoublePair exact_product(double a, double b) {
  const double product = a * b;
  const DoublePair x = halves(a);
  const DoublePair y = halves(b);
  return {product, ((x.high * y.high - product) + x.high * y.low + x.low * y.high) + x.low * y.low};
}

constexpr DoublePair operator-(DoublePair x) { return {-x.high, -x.low}; }

constexpr DoublePair operator+(DoublePair x, DoublePair y) {
  const DoublePair high = exact_sum(x.high, y.high);
  const DoublePair low = exact_sum(x.low, y.low);
  const DoublePair sum = exact_sum_ordered(high.high, high.low + low.high);
  return exact_sum_ordered(sum.high, low.low + sum.low);
}

constexpr DoublePair operator+(DoublePair x, double y) {
  const DoublePair high = exact_sum(x.high, y);
  return exact_sum_ordered(high.high, x.low + high.low);
}

constexpr DoublePair operator*(DoublePair x, DoublePair y) {
  const DoublePair high = exact_product(x.high, y.high);
  return exact_sum_ordered(high.high, high.low + (x.high * y.low + x.low * y.high));
}

constexpr DoublePair operator*(DoublePair x, double y) {
  const DoublePair high = exact_product(x.high, y);
  return exact_sum_ordered(high.high, high.low + x.low * y);
}

constexpr DoublePair operator/(DoublePair x, DoublePair y) {
  const double first = x.high / y.high;
  const DoublePair rest = x + -(y * first);
  const double second = rest.high / y.high;
  const DoublePair rest_of_rest = rest + -(y * second);
  return exact_sum_ordered(first, second) + rest_of_rest.high / y.high;
}

/// Exact for a power of two.
constexpr DoublePair scaled(DoublePair x, double power_of_two) { return {x.high * power_of_two, x.low * power_of_two}; }

}  // namespace weir
