#include "agent/operators/quantile_sketch.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "firmware-tests/support/random.h"
#include "firmware-tests/support/recorded_numbers.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

/// A sketch with its bytes, at an odd address.
struct Sketched {
  explicit Sketched(double error) : sketch(error), bytes(sketch.bytes() + 2) {}
  uint8_t* at() { return bytes.data() + 1; }
  void add(double value) { sketch.add(at(), value); }
  void add(const std::vector<double>& values) {
    for (double value : values) add(value);
  }
  void merge(Sketched& later) { sketch.merge(at(), later.at()); }
  double quantile(double q) { return sketch.quantile(at(), q); }
  bool full() {
    uint32_t buckets = 0;
    memcpy(&buckets, at() + 20, sizeof buckets);
    return 24 + buckets * 6 == sketch.bytes();
  }
  bool untouched_beside() const { return bytes.front() == 0 && bytes.back() == 0; }

  QuantileSketch sketch;
  std::vector<uint8_t> bytes;
};

double exact(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1))];
}

constexpr double errors[] = {0.005, 0.01, 0.02, 0.05, 0.1};

/// Magnitudes that may be told as 0 once there is no room for all buckets.
double least_told(const std::vector<double>& sorted) {
  const double largest = std::max(std::fabs(sorted.front()), std::fabs(sorted.back()));
  return largest / (sorted.front() < 0 && sorted.back() > 0 ? 256 : 65536);
}

/// The first quantile that is further from the truth than `error` of it, or told as 0 without need; or -1.
double first_wrong(Sketched& sketched, const std::vector<double>& sorted, double error) {
  for (int step = 0; step <= 1000; ++step) {
    const double q = step / 1000.0;
    const double truth = exact(sorted, q);
    const double told = sketched.quantile(q);
    const bool given_up = told == 0 && sketched.full() && std::fabs(truth) < least_told(sorted);
    if (!given_up && std::fabs(told - truth) > std::fabs(truth) * error) return q;
  }
  return -1;
}

}  // namespace

TEST_GROUP(QuantileSketch){
    void keeps_its_word(std::vector<double> values, double error, const char* name){Sketched sketched(error);
sketched.add(values);
std::ranges::sort(values);
const double wrong = first_wrong(sketched, values, error);
if (wrong >= 0)
  printf("%s: error %g, q %g: %.17g instead of %.17g\n", name, error, wrong, sketched.quantile(wrong), exact(values, wrong));
CHECK(wrong < 0);
CHECK(sketched.sketch.valid(sketched.at()));
CHECK(sketched.untouched_beside());
}
}
;

TEST(QuantileSketch, is_empty_until_a_value_comes) {
  Sketched sketched(0.01);
  CHECK(sketched.sketch.empty(sketched.at()));
  CHECK(sketched.sketch.valid(sketched.at()));
  sketched.add(0);
  CHECK_FALSE(sketched.sketch.empty(sketched.at()));
  DOUBLES_EQUAL(0, sketched.quantile(0.5), 0);
}

TEST(QuantileSketch, of_one_value_or_many_equal_ones_every_quantile_is_that_value) {
  for (double value : {-1e300, -3.7, -0.0, 1e-300, 21.123456789, 1e300}) {
    Sketched sketched(0.1);
    for (int count = 0; count < 3; ++count) {
      sketched.add(value);
      for (double q : {0.0, 0.5, 1.0}) CHECK(sketched.quantile(q) == value);
    }
  }
}

TEST(QuantileSketch, every_magnitude_is_within_the_error) {
  for (double error : errors) {
    for (int exponent = -126; exponent < 127; ++exponent) {
      for (int part = 0; part < 64; ++part) {
        for (double sign : {-1.0, 1.0}) {
          const double value = sign * std::ldexp(1 + part / 64.0, exponent);
          // The value stands between two others, so that neither the smallest nor the largest is it.
          Sketched sketched(error);
          sketched.add({-std::ldexp(1, 127), value, std::ldexp(1, 127)});
          if (std::fabs(sketched.quantile(0.5) - value) > std::fabs(value) * error)
            printf("error %g, value %.17g\n", error, value);
          CHECK(std::fabs(sketched.quantile(0.5) - value) <= std::fabs(value) * error);
        }
      }
    }
  }
}

TEST(QuantileSketch, keeps_its_word_on_random_numbers_of_both_signs) {
  Random random(41);
  for (int round = 0; round < 40; ++round) {
    std::vector<double> values;
    for (uint64_t count = 1 + random.below(3000); count > 0; --count)
      values.push_back(std::ldexp(static_cast<double>(random.between(-4096, 4096)), -5));
    if (round == 0) printf("seed 41 ");
    keeps_its_word(values, 0.02, "random");
  }
}

TEST(QuantileSketch, keeps_its_word_on_recorded_numbers) {
  const auto recordings = recorded_numbers();
  if (recordings.empty())
    printf("skipped: QuantileSketch keeps_its_word_on_recorded_numbers: no %s\n", recorded_data_folder().c_str());
  for (const auto& [name, values] : recordings)
    for (double error : errors) keeps_its_word(values, error, name.c_str());
}

TEST(QuantileSketch, has_room_for_sixteen_powers_of_two_without_a_gap) {
  for (double error : errors) {
    std::vector<double> values;
    for (double value = 1; value < 65536; value *= 1.0005) values.push_back(value);
    keeps_its_word(values, error, "sixteen octaves");
    Sketched sketched(error);
    sketched.add(values);
    DOUBLES_EQUAL(1, sketched.quantile(1e-5), 0.1);
  }
}

TEST(QuantileSketch, without_room_the_smallest_magnitudes_count_as_zero) {
  Sketched sketched(0.1);
  std::vector<double> values;
  for (double value = 1; value < 1e9; value *= 1.01) values.push_back(value);
  sketched.add(values);
  sketched.add(-1);
  values.insert(values.begin(), -1);
  CHECK(sketched.sketch.valid(sketched.at()));
  DOUBLES_EQUAL(-1, sketched.quantile(0), 0);
  size_t zeros = 0;
  for (size_t index = 1; index < values.size(); ++index) {
    const double told = sketched.quantile(static_cast<double>(index) / static_cast<double>(values.size() - 1) + 1e-9);
    if (told == 0) {
      ++zeros;
      CHECK(index == zeros);  // no zero above one that is not
      CHECK(values[index] < 1e9 / 65536);
    } else {
      CHECK(std::fabs(told - values[index]) <= 0.1 * values[index]);
    }
  }
  CHECK(zeros > 100);
}

TEST(QuantileSketch, magnitudes_beyond_its_range_are_told_by_the_ends) {
  Sketched small(0.01);
  small.add({-1, 1e-39, 2e-39, 3e-39, 1});
  DOUBLES_EQUAL(0, small.quantile(0.5), 0);
  Sketched large(0.01);
  large.add({-1, 2e38, 1e300, 1.5e300, 1.6e300});
  CHECK(large.quantile(0.5) >= std::ldexp(1, 126));
  DOUBLES_EQUAL(1.6e300, large.quantile(1), 0);
}

TEST(QuantileSketch, merging_gives_the_bytes_that_adding_all_gives_whatever_the_order) {
  Random random(42);
  for (int round = 0; round < 200; ++round) {
    const double error = errors[random.below(std::size(errors))];
    Sketched whole(error);
    Sketched parts[3] = {Sketched(error), Sketched(error), Sketched(error)};
    // Enough different magnitudes that there is no room for all of them.
    const int octaves = static_cast<int>(random.between(1, 60));
    std::vector<double> values;
    for (uint64_t count = random.below(1500); count > 0; --count) {
      const double value =
          std::ldexp(static_cast<double>(random.between(-1000, 1000)), static_cast<int>(random.between(-octaves, octaves)));
      values.push_back(value);
      parts[random.below(3)].add(value);
    }
    for (size_t index = values.size(); index > 1; --index) std::swap(values[index - 1], values[random.below(index)]);
    whole.add(values);
    parts[0].merge(parts[1]);
    parts[2].merge(parts[0]);
    if (whole.bytes != parts[2].bytes) printf("seed 42, round %d\n", round);
    CHECK(whole.bytes == parts[2].bytes);
  }
}

TEST(QuantileSketch, takes_the_bytes_that_it_states) {
  UNSIGNED_LONGS_EQUAL(24 + 1201 * 6, QuantileSketch(0.005).bytes());
  UNSIGNED_LONGS_EQUAL(24 + 601 * 6, QuantileSketch(0.01).bytes());
  UNSIGNED_LONGS_EQUAL(24 + 61 * 6, QuantileSketch(0.1).bytes());
}

TEST(QuantileSketch, bytes_that_no_sketch_can_hold_are_not_valid) {
  const auto broken = [](size_t at, std::initializer_list<uint8_t> bytes) {
    Sketched sketched(0.1);
    sketched.add({-2, 1, 2, 3});
    CHECK(sketched.sketch.valid(sketched.at()));
    std::ranges::copy(bytes, sketched.at() + at);
    return !sketched.sketch.valid(sketched.at());
  };
  CHECK(broken(6, {0xF0, 0x7F}));       // the smallest is infinite
  CHECK(broken(14, {0xF8, 0x7F}));      // the largest is no number
  CHECK(broken(14, {0x00, 0xC1}));      // the largest below the smallest
  CHECK(broken(20, {62}));              // more buckets than there is room for
  CHECK(broken(20, {5}));               // one more than there are
  CHECK(broken(24, {0, 0}));            // no bucket has the index 0
  CHECK(broken(24, {0x00, 0x7F}));      // nor one beyond the range
  CHECK(broken(24 + 6, {0x00, 0x80}));  // out of order
  CHECK(broken(24 + 2, {0, 0, 0, 0}));  // counts nothing
}
