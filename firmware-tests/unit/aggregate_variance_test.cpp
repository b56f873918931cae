// stddev, stddev_pop, variance and var_pop.
#include <cmath>

#include "firmware-tests/support/aggregate_probe.h"
#include "firmware-tests/support/random.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

TimedNumbers at_any_time(const std::vector<double>& numbers) {
  TimedNumbers timed;
  for (double number : numbers) timed.emplace_back(number, 0);
  return timed;
}

/// Two passes with more digits.
double variance_of(const std::vector<double>& numbers) {
  long double mean = 0;
  for (double number : numbers) mean += static_cast<long double>(number);
  mean /= static_cast<long double>(numbers.size());
  long double squares = 0;
  for (double number : numbers)
    squares += (static_cast<long double>(number) - mean) * (static_cast<long double>(number) - mean);
  return static_cast<double>(squares / static_cast<long double>(numbers.size() - 1));
}

}  // namespace

TEST_GROUP(AggregateVariance) { int unused = 0; };

TEST(AggregateVariance, of_a_sample_and_of_a_population) {
  const TimedNumbers numbers = at_any_time({2, 4, 4, 4, 5, 5, 7, 9});
  STRCMP_EQUAL("4.571428571428571", over_floats("variance(x)", numbers).c_str());
  STRCMP_EQUAL("4", over_floats("var_pop(x)", numbers).c_str());
  STRCMP_EQUAL("2.138089935299395", over_floats("stddev(x)", numbers).c_str());
  STRCMP_EQUAL("2", over_floats("stddev_pop(x)", numbers).c_str());
  STRCMP_EQUAL("0.5", over_ints("variance(x)", {{1, 0}, {2, 0}}).c_str());
}

TEST(AggregateVariance, of_one_value_only_that_of_a_population_is_known) {
  for (const char* call : {"variance(x)", "stddev(x)"}) STRCMP_EQUAL("null", over_floats(call, {{3, 0}}).c_str());
  for (const char* call : {"var_pop(x)", "stddev_pop(x)"}) STRCMP_EQUAL("0", over_floats(call, {{3, 0}}).c_str());
}

TEST(AggregateVariance, of_nothing_but_null_there_is_none) {
  for (const char* call : {"variance(x)", "stddev(x)", "var_pop(x)", "stddev_pop(x)"}) {
    AggregateProbe probe(call);
    STRCMP_EQUAL("null", probe.add(Value(), 1).result().c_str());
  }
}

TEST(AggregateVariance, null_is_passed_over) {
  AggregateProbe probe("var_pop(x)");
  probe.add(Value::of_float(1), 0).add(Value(), 0).add(Value::of_float(3), 0);
  STRCMP_EQUAL("1", probe.result().c_str());
}

TEST(AggregateVariance, what_is_not_finite_is_null) {
  STRCMP_EQUAL("null", over_floats("variance(x)", {{-1e200, 0}, {1e200, 0}}).c_str());
  STRCMP_EQUAL("null", over_floats("stddev(x)", {{-1e308, 0}, {1e308, 0}, {1, 0}}).c_str());
}

TEST(AggregateVariance, keeps_its_digits_where_values_are_large_and_differ_little) {
  Random random(21);
  std::vector<double> numbers;
  for (int index = 0; index < 5000; ++index) numbers.push_back(1e9 + static_cast<double>(random.between(-1000, 1000)) / 1000);
  AggregateProbe probe("variance(x)");
  for (double number : numbers) probe.add(Value::of_float(number), 0);
  const double expected = variance_of(numbers);
  DOUBLES_EQUAL(expected, probe.value().as_float(), expected * 1e-6);
}

TEST(AggregateVariance, a_stream_cut_anywhere_and_merged_agrees_within_rounding) {
  Random random(22);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> numbers;
    for (uint64_t count = 2 + random.below(40); count > 0; --count)
      numbers.push_back(100 + static_cast<double>(random.between(-9999, 9999)) / 7);
    const double expected = variance_of(numbers);
    for (size_t cut = 0; cut <= numbers.size(); ++cut) {
      AggregateProbe early("variance(x)");
      AggregateProbe late("variance(x)");
      for (size_t index = 0; index < numbers.size(); ++index)
        (index < cut ? early : late).add(Value::of_float(numbers[index]), 0);
      early.merge(late);
      if (std::fabs(expected - early.value().as_float()) > expected * 1e-12) printf("seed 22, round %d\n", round);
      DOUBLES_EQUAL(expected, early.value().as_float(), expected * 1e-12);
    }
  }
}

TEST(AggregateVariance, an_impossible_count_is_not_valid) {
  AggregateProbe probe("stddev(x)");
  CHECK(probe.valid());
  probe.at()[7] = 0x80;
  CHECK_FALSE(probe.valid());
}
