// distinct(x): what the aggregate adds to HyperLogLog, which has tests of its own.
#include <algorithm>
#include <cmath>
#include <set>

#include "agent/operators/hyperloglog.h"
#include "firmware-tests/support/aggregate_probe.h"
#include "firmware-tests/support/random.h"
#include "firmware-tests/support/recorded_numbers.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(AggregateDistinct) { int unused = 0; };

TEST(AggregateDistinct, of_nothing_and_of_null_there_are_none) {
  AggregateProbe probe("distinct(x)");
  STRCMP_EQUAL("0", probe.result().c_str());
  STRCMP_EQUAL("0", probe.add(Value(), 1).result().c_str());
}

TEST(AggregateDistinct, takes_any_type) {
  AggregateProbe texts("distinct(x)", Type::String, 8);
  texts.add(Value::of_string("a"), 1).add(Value::of_string(""), 2).add(Value::of_string("a"), 3);
  STRCMP_EQUAL("2", texts.result().c_str());
  AggregateProbe flags("distinct(x)", Type::Bool);
  STRCMP_EQUAL("2", flags.add(Value::of_bool(true), 1).add(Value::of_bool(false), 2).result().c_str());
  AggregateProbe times("distinct(x)", Type::Time);
  STRCMP_EQUAL("1", times.add(Value::of_time(5), 1).add(Value::of_time(5), 2).result().c_str());
  STRCMP_EQUAL("2", over_ints("distinct(x)", {{INT64_MIN, 0}, {INT64_MAX, 0}, {INT64_MIN, 0}}).c_str());
  STRCMP_EQUAL("2", over_floats("distinct(x)", {{0.0, 0}, {-0.0, 0}, {0.5, 0}}).c_str());
}

TEST(AggregateDistinct, the_precision_says_how_many_bytes) {
  UNSIGNED_LONGS_EQUAL(16, AggregateProbe("distinct(x, 4)").aggregate().bytes());
  UNSIGNED_LONGS_EQUAL(1024, AggregateProbe("distinct(x)").aggregate().bytes());
  UNSIGNED_LONGS_EQUAL(16384, AggregateProbe("distinct(x, 14)").aggregate().bytes());
}

/// Registers are stored state: neither the hash nor the place of its bits may ever change.
TEST(AggregateDistinct, registers_are_the_same_everywhere) {
  AggregateProbe texts("distinct(x, 6)", Type::String, 8);
  texts.add(Value::of_string("pump-01"), 0).add(Value::of_string("pump-02"), 0);
  std::string found;
  for (size_t index = 0; index < 64; ++index)
    if (texts.at()[index] != 0) found += std::to_string(index) + ":" + std::to_string(texts.at()[index]) + " ";
  STRCMP_EQUAL("0:1 52:1 ", found.c_str());
}

TEST(AggregateDistinct, counts_recorded_numbers_within_three_standard_errors) {
  const auto recordings = recorded_numbers();
  if (recordings.empty())
    printf("skipped: AggregateDistinct counts_recorded_numbers_within_three_standard_errors: no %s\n",
           recorded_data_folder().c_str());
  for (const auto& [name, values] : recordings) {
    for (uint32_t precision : {8U, 10U, 12U, 14U}) {
      AggregateProbe probe("distinct(x, " + std::to_string(precision) + ")");
      for (double value : values) probe.add(Value::of_float(value), 0);
      const auto truth = static_cast<double>(std::set<double>(values.begin(), values.end()).size());
      const double bound = 3 * HyperLogLog(precision).standard_error() * truth + 1;
      const double off = std::fabs(static_cast<double>(probe.value().as_int()) - truth);
      if (off > bound) printf("%s: %g\n", name.c_str(), truth);
      CHECK(off <= bound);
    }
  }
}

TEST(AggregateDistinct, merging_gives_the_bytes_that_adding_all_gives) {
  Random random(51);
  AggregateProbe whole("distinct(x, 8)", Type::Int);
  AggregateProbe early("distinct(x, 8)", Type::Int);
  AggregateProbe late("distinct(x, 8)", Type::Int);
  for (int index = 0; index < 3000; ++index) {
    const Value value = Value::of_int(random.between(0, 2000));
    whole.add(value, 0);
    (random.chance(50) ? early : late).add(value, 0);
  }
  early.merge(late);
  CHECK(whole.same_bytes(early));
}

TEST(AggregateDistinct, registers_that_say_too_much_are_no_crash) {
  AggregateProbe probe("distinct(x, 4)");
  std::fill_n(probe.at(), 16, uint8_t{61});
  CHECK(probe.valid());
  CHECK(probe.value().as_int() > int64_t{1} << 60);
  probe.at()[3] = 62;
  CHECK_FALSE(probe.valid());
}
