#include "agent/base/elementary.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "agent/base/double_pair.h"

namespace weir::elementary {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// Constants to 106 bits and, for pi/2, to 159.
constexpr DoublePair ln_2{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
constexpr DoublePair one_by_ln_10{0x1.bcb7b1526e50ep-2, 0x1.95355baaafad3p-57};
constexpr DoublePair pi{0x1.921fb54442d18p+1, 0x1.1a62633145c07p-53};
constexpr DoublePair half_pi{0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
constexpr double half_pi_third = -0x1.f1976b7ed8fbcp-110;
constexpr double one_by_ln_2 = 0x1.71547652b82fep+0;
constexpr double two_by_pi = 0x1.45f306dc9c883p-1;

constexpr size_t factorials = 30;

constexpr std::array<DoublePair, factorials> inverse_factorials() {
  std::array<DoublePair, factorials> table{};
  table[0] = {1, 0};
  for (size_t n = 1; n < factorials; ++n) table[n] = table[n - 1] / DoublePair{static_cast<double>(n), 0};
  return table;
}

constexpr std::array<DoublePair, factorials> one_by_factorial = inverse_factorials();

constexpr size_t odd_numbers = 22;

/// 1, 1/3, 1/5, ...
constexpr std::array<DoublePair, odd_numbers> inverse_odd_numbers() {
  std::array<DoublePair, odd_numbers> table{};
  for (size_t n = 0; n < odd_numbers; ++n) table[n] = DoublePair{1, 0} / DoublePair{static_cast<double>(2 * n + 1), 0};
  return table;
}

constexpr std::array<DoublePair, odd_numbers> one_by_odd = inverse_odd_numbers();

double nearest_whole(double x) { return std::floor(x + 0.5); }

/// e^x for -745 <= x <= 710. With x = k ln 2 + 16 r, e^x is 2^k (e^r)^16, and the series of e^r ends soon.
double exp_of(DoublePair x) {
  constexpr size_t terms = 13;
  const double k = nearest_whole(x.high * one_by_ln_2);
  const DoublePair r = scaled(x + -(ln_2 * k), 0x1p-4);
  DoublePair sum = one_by_factorial[terms];
  for (size_t n = terms; n-- > 0;) sum = sum * r + one_by_factorial[n];
  for (int squared = 0; squared < 4; ++squared) sum = sum * sum;
  return std::ldexp(sum.high, static_cast<int>(k));
}

/// For finite x > 0. With x = 2^k m and s = (m - 1) / (m + 1), ln x is k ln 2 + 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172.
DoublePair ln_of(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0x1.6a09e667f3bcdp-1) {  // the root of 1/2
    m *= 2;
    --exponent;
  }
  const DoublePair s = exact_sum(m, -1) / exact_sum(m, 1);
  const DoublePair square = s * s;
  DoublePair sum = one_by_odd.back();
  for (size_t n = odd_numbers - 1; n-- > 0;) sum = sum * square + one_by_odd[n];
  return ln_2 * static_cast<double>(exponent) + scaled(s * sum, 2);
}

struct SineCosine {
  DoublePair sine;
  DoublePair cosine;
};

/// For |x| < 0.8, by their series.
SineCosine sine_cosine_of(DoublePair x) {
  constexpr size_t last = 27;
  const DoublePair square = x * x;
  DoublePair sine = one_by_factorial[last];
  DoublePair cosine = one_by_factorial[last + 1];
  for (size_t n = last; n >= 3; n -= 2) {
    sine = one_by_factorial[n - 2] + -(sine * square);
    cosine = one_by_factorial[n - 1] + -(cosine * square);
  }
  return {sine * x, DoublePair{1, 0} + -(cosine * square)};
}

/// x = quarters pi/2 + rest, to as many digits as are left when x is next to a multiple.
struct Angle {
  unsigned quarters;  // modulo 4
  DoublePair rest;
};

Angle reduced(double x) {
  const double k = nearest_whole(x * two_by_pi);
  const DoublePair first = exact_product(half_pi.high, k);
  DoublePair rest = exact_sum(x, -first.high) + -first.low;
  rest = rest + -exact_product(half_pi.low, k);
  rest = rest + -(half_pi_third * k);
  return {static_cast<unsigned>(static_cast<int64_t>(k)) & 3, rest};
}

SineCosine turned(SineCosine of_rest, unsigned quarters) {
  switch (quarters) {
    case 0:
      return of_rest;
    case 1:
      return {of_rest.cosine, -of_rest.sine};
    case 2:
      return {-of_rest.sine, -of_rest.cosine};
    default:
      return {-of_rest.cosine, of_rest.sine};
  }
}

bool has_no_angle(double x) { return !(std::fabs(x) <= angle_max); }

/// Below this the next term of a series that begins with x is beyond the last place, and pairs would leave their range.
bool is_tiny(double x) { return std::fabs(x) < 0x1p-30; }

SineCosine sine_cosine(double x) {
  const Angle angle = reduced(x);
  return turned(sine_cosine_of(angle.rest), angle.quarters);
}

/// The angle of (x, y) for 0 < y <= x <= 1: an estimate a, good to 1e-5, and the angle that is left after turning back by it.
DoublePair angle_of(double y, double x) {
  const double t = y / x;
  const double s = t * t;
  const double a = t * (0.9998660 + s * (-0.3302995 + s * (0.1801410 + s * (-0.0851330 + s * 0.0208351))));
  const SineCosine by = sine_cosine_of({a, 0});
  const DoublePair left = (by.cosine * y + -(by.sine * x)) / (by.cosine * x + by.sine * y);
  const DoublePair square = left * left;
  return left * (DoublePair{1, 0} + square * (square * one_by_odd[2] + -one_by_odd[1])) + a;
}

bool is_whole(double y) { return std::trunc(y) == y; }
bool is_odd(double y) { return is_whole(y) && std::fabs(std::fmod(y, 2)) == 1; }

/// x^y for finite x > 0 and finite y.
double power(double x, double y) {
  const DoublePair ln_x = ln_of(x);
  const double estimate = ln_x.high * y;
  if (estimate > 720) return infinity;
  if (estimate < -760) return 0;
  return exp_of(ln_x * y);
}

double power_of_zero_or_infinity(double magnitude, double y) { return (magnitude == 0) == (y > 0) ? 0 : infinity; }

}  // namespace

double exp(double x) {
  if (std::isnan(x)) return x;
  if (x > 720) return infinity;
  if (x < -760) return 0;
  return exp_of({x, 0});
}

double ln(double x) {
  if (std::isnan(x) || x < 0) return not_a_number;
  if (x == 0) return -infinity;
  return std::isinf(x) ? x : ln_of(x).high;
}

double log10(double x) {
  const bool finite = x > 0 && std::isfinite(x);
  return finite ? (ln_of(x) * one_by_ln_10).high : ln(x);
}

double pow(double x, double y) {
  if (y == 0 || x == 1) return 1;
  if (std::isnan(x) || std::isnan(y)) return not_a_number;
  const double magnitude = std::fabs(x);
  if (std::isinf(y)) {
    if (magnitude == 1) return 1;
    return (magnitude > 1) == (y > 0) ? infinity : 0;
  }
  if (x < 0 && !std::isinf(x) && !is_whole(y)) return not_a_number;
  const bool special = magnitude == 0 || std::isinf(magnitude);
  double result = 1;
  if (special) result = power_of_zero_or_infinity(magnitude, y);
  if (!special && magnitude != 1) result = power(magnitude, y);
  return std::signbit(x) && is_odd(y) ? -result : result;
}

double sin(double x) {
  if (has_no_angle(x)) return not_a_number;
  return is_tiny(x) ? x : sine_cosine(x).sine.high;
}

double cos(double x) {
  if (has_no_angle(x)) return not_a_number;
  return is_tiny(x) ? 1 : sine_cosine(x).cosine.high;
}

double tan(double x) {
  if (has_no_angle(x)) return not_a_number;
  if (is_tiny(x)) return x;
  const SineCosine both = sine_cosine(x);
  return (both.sine / both.cosine).high;
}

double atan2(double y, double x) {
  if (std::isnan(x) || std::isnan(y)) return not_a_number;
  double high = std::fabs(y);
  double low = std::fabs(x);
  const bool steep = high > low;
  if (!steep) std::swap(high, low);
  if (std::isinf(high)) {
    low = std::isinf(low) ? 1 : 0;
    high = 1;
  }
  DoublePair angle;
  if (low != 0) {
    // So flat that the angle is the slope, to the last place.
    const bool flat = low / high < 0x1p-40;
    if (flat && !steep && !std::signbit(x)) return std::copysign(low / high, y);
    int exponent = 0;
    const double high_scaled = std::frexp(high, &exponent);
    angle = flat ? DoublePair{low / high, 0} : angle_of(std::ldexp(low, -exponent), high_scaled);
  }
  if (steep) angle = half_pi + -angle;
  if (std::signbit(x)) angle = pi + -angle;
  return std::copysign(angle.high, y);
}

}  // namespace weir::elementary
