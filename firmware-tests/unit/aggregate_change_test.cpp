// rate, delta, increase, time_weighted_avg and slope: what became of a value over event time.
#include <cmath>

#include "firmware-tests/support/aggregate_probe.h"
#include "firmware-tests/support/random.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr const char* over_time[] = {"rate(x)", "delta(x)", "increase(x)", "time_weighted_avg(x)", "slope(x)"};

double of_line(const TimedNumbers& numbers) {
  long double time_mean = 0;
  long double mean = 0;
  for (const auto& [number, time_ms] : numbers) {
    time_mean += static_cast<long double>(time_ms) / 1000;
    mean += static_cast<long double>(number);
  }
  time_mean /= static_cast<long double>(numbers.size());
  mean /= static_cast<long double>(numbers.size());
  long double products = 0;
  long double squares = 0;
  for (const auto& [number, time_ms] : numbers) {
    const long double distance = static_cast<long double>(time_ms) / 1000 - time_mean;
    products += distance * (static_cast<long double>(number) - mean);
    squares += distance * distance;
  }
  return static_cast<double>(products / squares);
}

}  // namespace

TEST_GROUP(AggregateChange) { int unused = 0; };

TEST(AggregateChange, of_nothing_and_of_null_there_is_none) {
  for (const char* call : over_time) {
    AggregateProbe probe(call);
    STRCMP_EQUAL("null", probe.result().c_str());
    probe.add(Value(), 5).add(Value(), 6);
    STRCMP_EQUAL("null", probe.result().c_str());
    CHECK(probe.valid());
  }
}

TEST(AggregateChange, of_one_value_only_the_mean_is_known) {
  for (const char* call : {"rate(x)", "delta(x)", "increase(x)", "slope(x)"}) {
    STRCMP_EQUAL("null", over_floats(call, {{7, 5}}).c_str());
    STRCMP_EQUAL("null", over_ints(call, {{7, 5}}).c_str());
  }
  STRCMP_EQUAL("7", over_floats("time_weighted_avg(x)", {{7, 5}}).c_str());
}

TEST(AggregateChange, rate_is_the_change_per_second) {
  STRCMP_EQUAL("1.5", over_floats("rate(x)", {{10, 0}, {99, 1000}, {13, 2000}}).c_str());
  STRCMP_EQUAL("-0.5", over_ints("rate(x)", {{10, 1000}, {9, 3000}}).c_str());
  STRCMP_EQUAL("2000", over_ints("rate(x)", {{0, -1}, {2, 0}}).c_str());
}

TEST(AggregateChange, rate_over_no_time_is_null) {
  STRCMP_EQUAL("null", over_floats("rate(x)", {{10, 5}, {12, 5}}).c_str());
  STRCMP_EQUAL("null", over_floats("rate(x)", {{10, 5}, {10, 5}}).c_str());
}

TEST(AggregateChange, rate_of_ints_is_right_at_their_limits) {
  STRCMP_EQUAL("18446744073709551616", over_ints("rate(x)", {{INT64_MIN, 0}, {INT64_MAX, 1000}}).c_str());
  STRCMP_EQUAL("-18446744073709551616", over_ints("rate(x)", {{INT64_MAX, 0}, {INT64_MIN, 1000}}).c_str());
  STRCMP_EQUAL("5.421010862427522e-17", over_ints("rate(x)", {{0, INT64_MIN}, {1, INT64_MAX}}).c_str());
  STRCMP_EQUAL("null", over_floats("rate(x)", {{-1e308, 0}, {1e308, 1000}}).c_str());
}

TEST(AggregateChange, first_and_last_go_by_event_time) {
  for (const char* call : {"rate(x)", "delta(x)"})
    STRCMP_EQUAL("6", over_floats(call, {{3, 2000}, {7, 2500}, {1, 1500}, {0, 2200}}).c_str());
  // Of equal times the first to arrive begins and the last to arrive ends.
  STRCMP_EQUAL("4", over_floats("delta(x)", {{1, 0}, {2, 0}, {4, 9}, {5, 9}}).c_str());
}

TEST(AggregateChange, delta_is_of_the_type_of_its_argument_and_null_where_it_does_not_fit) {
  CHECK(AggregateProbe("delta(x)", Type::Int).aggregate().type() == Type::Int);
  CHECK(AggregateProbe("delta(x)").aggregate().type() == Type::Float);
  STRCMP_EQUAL("9223372036854775807", over_ints("delta(x)", {{0, 0}, {INT64_MAX, 1}}).c_str());
  STRCMP_EQUAL("null", over_ints("delta(x)", {{-1, 0}, {INT64_MAX, 1}}).c_str());
  STRCMP_EQUAL("null", over_floats("delta(x)", {{-1e308, 0}, {1e308, 1}}).c_str());
  STRCMP_EQUAL("1", over_floats("delta(x)", {{1, 0}, {2, 0}}).c_str());  // no time is needed
}

TEST(AggregateChange, a_counter_that_gets_smaller_has_begun_again_at_zero) {
  STRCMP_EQUAL("20", over_ints("increase(x)", {{100, 0}, {110, 1}, {3, 2}, {10, 3}}).c_str());
  STRCMP_EQUAL("0", over_ints("increase(x)", {{100, 0}, {100, 1}}).c_str());
  STRCMP_EQUAL("0", over_ints("increase(x)", {{100, 0}, {0, 1}}).c_str());
  STRCMP_EQUAL("2.5", over_floats("increase(x)", {{100, 0}, {0.5, 1}, {2.5, 2}}).c_str());
}

TEST(AggregateChange, a_counter_is_never_negative) {
  STRCMP_EQUAL("5", over_ints("increase(x)", {{1, 0}, {-1, 1}, {6, 2}}).c_str());
  STRCMP_EQUAL("null", over_ints("increase(x)", {{-1, 0}, {6, 2}}).c_str());
}

TEST(AggregateChange, an_increase_that_does_not_fit_is_null) {
  STRCMP_EQUAL("9223372036854775807", over_ints("increase(x)", {{0, 0}, {INT64_MAX, 1}}).c_str());
  STRCMP_EQUAL("null", over_ints("increase(x)", {{0, 0}, {INT64_MAX, 1}, {1, 2}}).c_str());
}

TEST(AggregateChange, increase_takes_what_came_too_late_only_in_front) {
  STRCMP_EQUAL("9", over_ints("increase(x)", {{5, 10}, {10, 20}, {1, 0}}).c_str());
  STRCMP_EQUAL("5", over_ints("increase(x)", {{5, 10}, {10, 20}, {2, 15}}).c_str());
}

TEST(AggregateChange, a_value_holds_until_the_next_one) {
  STRCMP_EQUAL("25", over_floats("time_weighted_avg(x)", {{10, 0}, {30, 1000}, {99, 4000}}).c_str());
  STRCMP_EQUAL("4", over_ints("time_weighted_avg(x)", {{4, 0}, {9, 10}}).c_str());
}

TEST(AggregateChange, of_equal_times_the_later_arrival_holds) {
  STRCMP_EQUAL("30", over_floats("time_weighted_avg(x)", {{10, 0}, {30, 0}, {99, 1000}}).c_str());
  STRCMP_EQUAL("30", over_floats("time_weighted_avg(x)", {{10, 0}, {30, 0}}).c_str());
}

TEST(AggregateChange, the_mean_over_time_takes_what_came_too_late_only_in_front) {
  STRCMP_EQUAL("15", over_floats("time_weighted_avg(x)", {{20, 1000}, {0, 2000}, {10, 0}}).c_str());
  STRCMP_EQUAL("20", over_floats("time_weighted_avg(x)", {{20, 1000}, {0, 2000}, {10, 1500}}).c_str());
}

TEST(AggregateChange, slope_is_the_rise_per_second_of_the_best_line) {
  STRCMP_EQUAL("2", over_floats("slope(x)", {{1, 0}, {3, 1000}, {5, 2000}}).c_str());
  STRCMP_EQUAL("2", over_floats("slope(x)", {{5, 2000}, {1, 0}, {3, 1000}}).c_str());
  STRCMP_EQUAL("0.5", over_ints("slope(x)", {{0, 0}, {1, 1000}, {1, 2000}}).c_str());
  STRCMP_EQUAL("null", over_floats("slope(x)", {{1, 7}, {3, 7}}).c_str());
}

TEST(AggregateChange, slope_keeps_its_digits_far_from_1970) {
  Random random(11);
  TimedNumbers numbers;
  for (int index = 0; index < 1000; ++index)
    numbers.emplace_back(1e9 + 0.001 * index + static_cast<double>(random.between(-9, 9)), 1700000000000 + 1000 * index);
  AggregateProbe probe("slope(x)");
  for (const auto& [number, time_ms] : numbers) probe.add(Value::of_float(number), time_ms);
  DOUBLES_EQUAL(of_line(numbers), probe.value().as_float(), 1e-8);
}

/// For records that come in the order of event time; floats are eighths and times small, so that products are exact.
TEST(AggregateChange, a_stream_cut_anywhere_and_merged_gives_what_adding_all_gives) {
  Random random(12);
  for (int round = 0; round < 400; ++round) {
    TimedNumbers stream;
    int64_t time_ms = random.between(-50, 50);
    for (uint64_t count = random.below(10); count > 0; --count) {
      stream.emplace_back(static_cast<double>(random.between(-20, 200)) / 8, time_ms);
      time_ms += random.between(0, 3);
    }
    for (const char* call : over_time) {
      for (Type type : {Type::Float, Type::Int}) {
        const auto value_of = [&](double number) {
          return type == Type::Int ? Value::of_int(static_cast<int64_t>(number)) : Value::of_float(number);
        };
        AggregateProbe whole(call, type);
        for (const auto& [number, at_ms] : stream) whole.add(value_of(number), at_ms);
        for (size_t cut = 0; cut <= stream.size(); ++cut) {
          AggregateProbe early(call, type);
          AggregateProbe late(call, type);
          for (size_t index = 0; index < stream.size(); ++index)
            (index < cut ? early : late).add(value_of(stream[index].first), stream[index].second);
          early.merge(late);
          CHECK(early.valid());
          if (call == std::string("slope(x)") && !whole.value().is_null()) {  // sums of squares round
            DOUBLES_EQUAL(whole.value().as_float(), early.value().as_float(), 1e-9 * (1 + std::fabs(whole.value().as_float())));
            continue;
          }
          if (whole.result() != early.result()) printf("seed 12, round %d, %s cut at %zu\n", round, call, cut);
          STRCMP_EQUAL(whole.result().c_str(), early.result().c_str());
        }
      }
    }
  }
}

TEST(AggregateChange, rate_and_delta_do_not_mind_in_which_order_a_slice_was_filled) {
  Random random(13);
  for (int round = 0; round < 300; ++round) {
    const int64_t edge_ms = random.between(0, 20);
    for (const char* call : {"rate(x)", "delta(x)"}) {
      AggregateProbe whole(call);
      AggregateProbe early(call);
      AggregateProbe late(call);
      for (uint64_t count = random.below(10); count > 0; --count) {
        const int64_t time_ms = random.between(0, 20);
        const Value value = Value::of_float(static_cast<double>(random.between(-99, 99)));
        whole.add(value, time_ms);
        (time_ms < edge_ms ? early : late).add(value, time_ms);
      }
      early.merge(late);
      if (whole.result() != early.result()) printf("seed 13, round %d\n", round);
      STRCMP_EQUAL(whole.result().c_str(), early.result().c_str());
    }
  }
}

TEST(AggregateChange, bytes_that_no_accumulator_can_hold_are_not_valid) {
  for (const char* call : over_time) {
    AggregateProbe probe(call);
    CHECK(probe.valid());
    probe.at()[7] = 0x80;  // a count
    CHECK_FALSE(probe.valid());
  }
  for (const char* call : {"rate(x)", "delta(x)", "increase(x)", "time_weighted_avg(x)"}) {
    AggregateProbe probe(call);
    probe.at()[8] = 1;  // the first time behind the last
    CHECK_FALSE(probe.valid());
  }
}
