#include "agent/operators/hyperloglog.h"

#include <cmath>
#include <sstream>
#include <unordered_set>
#include <vector>

#include "agent/base/hash.h"
#include "firmware-tests/support/files.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

/// Registers with the numbers from `first` to `last` added.
std::vector<uint8_t> registers_of(const HyperLogLog& log, int64_t first, int64_t last) {
  std::vector<uint8_t> registers(log.bytes());
  for (int64_t number = first; number <= last; ++number) log.add(registers.data(), distinct_hash(Value::of_int(number)));
  return registers;
}

double error_of(double estimate, double exact) { return std::fabs(estimate - exact) / exact; }

}  // namespace

TEST_GROUP(HyperLogLog) {
  HyperLogLog log{10};
  std::vector<uint8_t> registers = std::vector<uint8_t>(1024);

  double estimate() const { return log.estimate(registers.data()); }
};

TEST(HyperLogLog, of_nothing_is_exactly_zero) { DOUBLES_EQUAL(0, estimate(), 0); }

TEST(HyperLogLog, few_values_are_as_good_as_counted) {
  for (int64_t count : {1, 2, 5, 10, 20}) LONGS_EQUAL(count, std::lround(log.estimate(registers_of(log, 1, count).data())));
}

TEST(HyperLogLog, a_value_that_was_there_changes_nothing) {
  const uint64_t hash = distinct_hash(Value::of_string("d1"));
  CHECK(log.changes(registers.data(), hash));
  log.add(registers.data(), hash);
  CHECK_FALSE(log.changes(registers.data(), hash));
  const std::vector<uint8_t> before = registers;
  log.add(registers.data(), hash);
  CHECK(before == registers);
}

TEST(HyperLogLog, the_error_stays_within_three_standard_errors_for_every_precision_and_size) {
  for (uint32_t precision = HyperLogLog::precision_min; precision <= HyperLogLog::precision_max; ++precision) {
    const HyperLogLog sized(precision);
    UNSIGNED_LONGS_EQUAL(1U << precision, sized.bytes());
    for (int64_t count : {10, 100, 1000, 10'000, 100'000, 1'000'000}) {
      const double error = error_of(sized.estimate(registers_of(sized, 1, count).data()), static_cast<double>(count));
      CHECK_TEXT(error <= 3 * sized.standard_error(),
                 (std::to_string(precision) + " " + std::to_string(count) + " " + std::to_string(error)).c_str());
    }
  }
}

TEST(HyperLogLog, its_errors_spread_as_stated) {
  double squares = 0;
  constexpr int runs = 200;
  for (int run = 0; run < runs; ++run) {
    const double estimated = log.estimate(registers_of(log, run * 10'000, run * 10'000 + 4'999).data());
    squares += (estimated - 5000) * (estimated - 5000) / (5000.0 * 5000.0);
  }
  const double spread = std::sqrt(squares / runs);
  CHECK(spread < 1.15 * log.standard_error());
  CHECK(spread > 0.85 * log.standard_error());
}

TEST(HyperLogLog, merging_is_the_same_as_adding_all_to_one) {
  std::vector<uint8_t> left = registers_of(log, 1, 3000);
  log.merge(left.data(), registers_of(log, 2000, 5000).data());
  CHECK(left == registers_of(log, 1, 5000));
}

TEST(HyperLogLog, only_ranks_that_exist_are_valid) {
  registers[7] = 64 - 10 + 1;
  CHECK(log.valid(registers.data()));
  registers[7] = 64 - 10 + 2;
  CHECK_FALSE(log.valid(registers.data()));
}

TEST(HyperLogLog, full_registers_yield_a_huge_number_and_take_more_values) {
  std::ranges::fill(registers, 64 - 10 + 1);
  CHECK(estimate() > 1e18);
  log.add(registers.data(), 0);
  CHECK(log.valid(registers.data()));
}

TEST(HyperLogLog, zero_and_minus_zero_are_one_value_and_types_have_hashes) {
  CHECK(distinct_hash(Value::of_float(0.0)) == distinct_hash(Value::of_float(-0.0)));
  CHECK(distinct_hash(Value::of_float(1)) != distinct_hash(Value::of_float(2)));
  CHECK(distinct_hash(Value::of_bool(true)) != distinct_hash(Value::of_bool(false)));
  CHECK(distinct_hash(Value::of_string("a")) != distinct_hash(Value::of_string("b")));
  CHECK(distinct_hash(Value::of_time(1)) != distinct_hash(Value::of_time(2)));
}

TEST(HyperLogLog, is_the_same_number_on_every_architecture) {
  DOUBLES_EQUAL(0x1.2c3255eb6b939p+12, log.estimate(registers_of(log, 1, 5000).data()), 0);
}

TEST(HyperLogLog, counts_the_different_lines_and_words_of_real_data_within_two_standard_errors) {
  for (const char* name :
       {"nab/machine_temperature_system_failure.csv", "nab/speed_t4013.csv", "n2k/dirona.csv", "nycweather/weather.csv"}) {
    const std::string text = read_whole_file(std::string(WEIR_SOURCE_DIR "/../shared/data/") + name);
    if (text.empty()) {
      UT_PRINT((std::string("skipped: ../shared/data/") + name + " is not there").c_str());
      continue;
    }
    for (char separator : {'\n', ','}) {
      std::unordered_set<std::string> exact;
      std::ranges::fill(registers, 0);
      std::istringstream words(text);
      for (std::string word; std::getline(words, word, separator);) {
        exact.insert(word);
        log.add(registers.data(), distinct_hash(Value::of_string(word)));
      }
      CHECK(exact.size() > 500);
      CHECK_TEXT(error_of(estimate(), static_cast<double>(exact.size())) <= 2 * log.standard_error(), name);
    }
  }
}
