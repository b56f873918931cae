// The elementary functions: against the C library's, which are right to the last place or its neighbour, and where the answer
// is known exactly. That the bits are equal on all architectures is checked by a sum over many results that is written down.
#include "agent/base/elementary.h"
#include "agent/base/hash.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A generator whose numbers are the same everywhere; <random>'s distributions are not.
class Numbers {
 public:
  double between(double low, double high) { return low + (high - low) * static_cast<double>(next() >> 11) * 0x1p-53; }
  double any() { return std::bit_cast<double>(next()); }

 private:
  uint64_t next() { return state_ = hash64({reinterpret_cast<const uint8_t*>(&state_), sizeof state_}); }

  uint64_t state_ = 1;
};

}  // namespace

TEST_GROUP(Elementary) {
  uint64_t sum = 0;

  /// The library's is off by one place at most, and so may ours be from it.
  static void is_next_to(double expected, double actual, double of) {
    const bool equal = expected == actual || (std::isnan(expected) && std::isnan(actual));
    const bool near = std::nextafter(expected, actual) == actual;
    if (!equal && !near) FAIL((std::to_string(of) + ": " + std::to_string(actual)).c_str());
  }

  static void is(double expected, double actual) {
    CHECK_EQUAL(std::bit_cast<uint64_t>(expected), std::bit_cast<uint64_t>(actual));
  }

  static void is_nan(double actual) { CHECK(std::isnan(actual)); }

  void add(double result) {
    const auto bits = std::isnan(result) ? uint64_t{1} : std::bit_cast<uint64_t>(result);
    sum = hash64({reinterpret_cast<const uint8_t*>(&bits), sizeof bits}, sum);
  }

  void agree(double (*ours)(double), double (*library)(double), double low, double high) {
    Numbers numbers;
    for (int round = 0; round < 2000; ++round)
      for (double x : {numbers.between(low, high), numbers.between(-2, 2), numbers.any()})
        if (std::fabs(x) <= high) is_next_to(library(x), ours(x), x);
  }
};

TEST(Elementary, agree_with_the_library) {
  agree(elementary::exp, std::exp, -750, 1000);
  agree(elementary::ln, std::log, 0, 1e6);
  agree(elementary::log10, std::log10, 0, 1e6);
  agree(elementary::sin, std::sin, -1000, elementary::angle_max);
  agree(elementary::cos, std::cos, -1000, elementary::angle_max);
  agree(elementary::tan, std::tan, -1000, elementary::angle_max);
  agree(elementary::ln, std::log, 0, infinity);
}

TEST(Elementary, powers_and_angles_agree_with_the_library) {
  Numbers numbers;
  for (int round = 0; round < 5000; ++round) {
    const double x = numbers.between(0, 100);
    const double y = numbers.between(-20, 20);
    is_next_to(std::pow(x, y), elementary::pow(x, y), x);
    is_next_to(std::atan2(y, x - 50), elementary::atan2(y, x - 50), x);
    const double a = numbers.any();
    const double b = numbers.any();
    is_next_to(std::pow(a, b), elementary::pow(a, b), a);
    is_next_to(std::atan2(a, b), elementary::atan2(a, b), a);
  }
}

TEST(Elementary, exact_answers_are_exact) {
  is(1024, elementary::pow(2, 10));
  is(0.125, elementary::pow(8, -1));
  is(-27, elementary::pow(-3, 3));
  is(3, elementary::pow(9, 0.5));
  is(1e22, elementary::pow(10, 22));
  is(1, elementary::exp(0));
  is(0, elementary::ln(1));
  for (int power = -307; power <= 308; ++power) is(power, elementary::log10(std::stod("1e" + std::to_string(power))));
  is(0, elementary::sin(0));
  is(-0.0, elementary::sin(-0.0));
  is(1, elementary::cos(0));
}

TEST(Elementary, corners_are_those_of_ieee_754) {
  constexpr double corners[] = {0.0, -0.0, 1, -1, 2, -3, 0.5, infinity, -infinity, 1e308, -1e308, 5e-324, -5e-324, 1e-300};
  for (double x : corners) {
    for (double y : corners) {
      is_next_to(std::pow(x, y), elementary::pow(x, y), x);
      CHECK_EQUAL(std::signbit(std::atan2(y, x)), std::signbit(elementary::atan2(y, x)));
      is_next_to(std::atan2(y, x), elementary::atan2(y, x), x);
    }
    is_next_to(std::exp(x), elementary::exp(x), x);
    is_next_to(std::log(x), elementary::ln(x), x);
    is_next_to(std::log10(x), elementary::log10(x), x);
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (double result : {elementary::exp(nan), elementary::ln(nan), elementary::log10(nan), elementary::sin(nan),
                        elementary::atan2(nan, 1), elementary::atan2(1, nan), elementary::pow(nan, 1), elementary::pow(2, nan)})
    is_nan(result);
  is(1, elementary::pow(nan, 0));
}

TEST(Elementary, angles_have_a_limit_on_both_sides) {
  for (auto function : {elementary::sin, elementary::cos, elementary::tan}) {
    CHECK(std::isfinite(function(elementary::angle_max)));
    CHECK(std::isfinite(function(-elementary::angle_max)));
    is_nan(function(std::nextafter(elementary::angle_max, infinity)));
    is_nan(function(-infinity));
  }
}

TEST(Elementary, next_to_a_multiple_of_half_pi_all_digits_are_right) {
  is(0x1.1a62633145c07p-53, elementary::sin(0x1.921fb54442d18p+1));
  is(0x1.1a62633145c07p-54, elementary::cos(0x1.921fb54442d18p+0));
  is_next_to(std::sin(0x1.6ac5b262ca1ffp+19), elementary::sin(0x1.6ac5b262ca1ffp+19), 0);
}

TEST(Elementary, the_bits_are_those_that_every_architecture_gives) {
  Numbers numbers;
  for (int round = 0; round < 3000; ++round) {
    const double x = numbers.between(-100, 100);
    const double y = numbers.between(0, 100);
    const double any = numbers.any();
    for (auto function :
         {elementary::exp, elementary::sin, elementary::cos, elementary::tan, elementary::ln, elementary::log10}) {
      add(function(x));
      add(function(y));
      add(function(any));
    }
    add(elementary::pow(y, x / 10));
    add(elementary::pow(any, x));
    add(elementary::atan2(x, y));
    add(elementary::atan2(any, x));
  }
  CHECK_EQUAL(uint64_t{14468284073696689731u}, sum);
}
