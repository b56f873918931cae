#include "agent/operators/aggregate.h"

#include <cmath>

#include "firmware-tests/support/operator_probe.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(Aggregate) {
  Schema input = schema_of(
      {{"b", Type::Bool, 0}, {"i", Type::Int, 0}, {"f", Type::Float, 0}, {"s", Type::String, 5}, {"t", Type::Time, 0}});
  uint8_t memory[64] = {};
  std::vector<ExpressionError> errors;

  /// The result of `text` over values that all belong to its argument; event times count up from 0 unless given.
  std::string over(const char* text, std::vector<Value> values, std::vector<int64_t> times = {}) {
    Aggregation made = aggregation_of("x", text, input);
    CHECK(made.aggregate->bytes() <= sizeof memory - 1);
    memset(memory, 0, sizeof memory);
    uint8_t* at = memory + 1;  // not aligned for anything
    for (size_t index = 0; index < values.size(); ++index)
      made.aggregate->add(at, values[index], times.empty() ? static_cast<int64_t>(index) : times[index]);
    for (size_t index = 1 + made.aggregate->bytes(); index < sizeof memory; ++index) UNSIGNED_LONGS_EQUAL(0, memory[index]);
    CHECK(made.aggregate->valid(at));
    const Value result = made.aggregate->result(at);
    if (!result.is_null()) CHECK(result.type() == made.aggregate->type());
    return text_of(result);
  }
  std::string ints(const char* text, std::vector<int64_t> numbers) {
    std::vector<Value> values;
    for (int64_t number : numbers) values.push_back(Value::of_int(number));
    return over(text, values);
  }
  std::string floats(const char* text, std::vector<double> numbers) {
    std::vector<Value> values;
    for (double number : numbers) values.push_back(Value::of_float(number));
    return over(text, values);
  }
  bool made(const char* text) {
    AggregateCall call;
    Aggregation aggregation;
    errors.clear();
    CHECK(compile_aggregate_call(text, input, call, errors));
    return make_aggregation("x", text, std::move(call), aggregation, errors);
  }
  void refused(const char* message, const char* marked, const char* text) {
    CHECK_FALSE(made(text));
    UNSIGNED_LONGS_EQUAL(1, errors.size());
    STRCMP_EQUAL(message, errors[0].message.c_str());
    STRCMP_EQUAL(marked, std::string(text).substr(errors[0].offset, errors[0].length).c_str());
  }
};

TEST(Aggregate, count_without_an_argument_counts_records) {
  STRCMP_EQUAL("3", over("count()", {Value(), Value(), Value()}).c_str());
  STRCMP_EQUAL("0", over("count()", {}).c_str());
}

TEST(Aggregate, count_of_a_field_counts_values_that_are_not_null) {
  STRCMP_EQUAL("2", over("count(b)", {Value::of_bool(false), Value(), Value::of_bool(true)}).c_str());
  STRCMP_EQUAL("0", over("count(s)", {Value()}).c_str());
}

TEST(Aggregate, over_nothing_but_null_the_result_is_null) {
  for (const char* text : {"sum(i)", "sum(f)", "avg(i)", "avg(f)", "min(s)", "max(t)", "first(b)", "last(f)"}) {
    STRCMP_EQUAL("null", over(text, {}).c_str());
    STRCMP_EQUAL("null", over(text, {Value(), Value()}).c_str());
  }
}

TEST(Aggregate, null_is_passed_over) {
  STRCMP_EQUAL("7", over("sum(i)", {Value::of_int(3), Value(), Value::of_int(4)}).c_str());
  STRCMP_EQUAL("3.5", over("avg(i)", {Value::of_int(3), Value(), Value::of_int(4)}).c_str());
  STRCMP_EQUAL("3", over("min(i)", {Value(), Value::of_int(3), Value::of_int(4)}).c_str());
  STRCMP_EQUAL("3", over("first(i)", {Value(), Value::of_int(3), Value::of_int(4)}).c_str());
  STRCMP_EQUAL("4", over("last(i)", {Value::of_int(3), Value::of_int(4), Value()}).c_str());
}

TEST(Aggregate, an_int_sum_holds_up_to_its_limits) {
  STRCMP_EQUAL("9223372036854775807", ints("sum(i)", {INT64_MAX - 1, 1}).c_str());
  STRCMP_EQUAL("-9223372036854775808", ints("sum(i)", {INT64_MIN + 1, -1}).c_str());
}

TEST(Aggregate, an_int_sum_that_does_not_fit_is_null) {
  STRCMP_EQUAL("null", ints("sum(i)", {INT64_MAX, 1}).c_str());
  STRCMP_EQUAL("null", ints("sum(i)", {INT64_MAX, 1, 10}).c_str());
  STRCMP_EQUAL("null", ints("sum(i)", {INT64_MIN, -1, -10}).c_str());
}

TEST(Aggregate, an_int_sum_fits_again_when_what_was_too_much_is_taken_away) {
  STRCMP_EQUAL("9223372036854775807", ints("sum(i)", {INT64_MAX, 1, -1}).c_str());
  STRCMP_EQUAL("-9223372036854775808", ints("sum(i)", {INT64_MIN, INT64_MIN, INT64_MIN, INT64_MAX, INT64_MAX, 2}).c_str());
}

TEST(Aggregate, a_float_sum_keeps_what_plain_addition_loses) {
  STRCMP_EQUAL("2", floats("sum(f)", {1, 1e100, 1, -1e100}).c_str());
  STRCMP_EQUAL("0.5", floats("avg(f)", {1, 1e100, 1, -1e100}).c_str());
  std::vector<double> tenths(10, 0.1);
  STRCMP_EQUAL("1", floats("sum(f)", tenths).c_str());
}

TEST(Aggregate, a_float_result_that_is_not_finite_is_null) {
  STRCMP_EQUAL("null", floats("sum(f)", {1e308, 1e308}).c_str());
  STRCMP_EQUAL("null", floats("avg(f)", {1e308, 1e308, -1e308}).c_str());
}

TEST(Aggregate, avg_is_a_float_also_of_ints) {
  STRCMP_EQUAL("2.5", ints("avg(i)", {2, 3}).c_str());
  Aggregation average = aggregation_of("x", "avg(i)", input);
  CHECK(average.aggregate->type() == Type::Float);
  // Ints beyond 2^53 that a double cannot hold one by one.
  STRCMP_EQUAL("1", ints("avg(i)", {9007199254740993, -9007199254740992, 1 << 20, 2 - (1 << 20) - 1 + 2}).c_str());
  STRCMP_EQUAL("-0.5", ints("avg(i)", {INT64_MAX, INT64_MIN}).c_str());
}

TEST(Aggregate, min_and_max_go_by_value) {
  STRCMP_EQUAL("-9", ints("min(i)", {3, -9, 4}).c_str());
  STRCMP_EQUAL("4", ints("max(i)", {3, -9, 4}).c_str());
  STRCMP_EQUAL("-0.5", floats("min(f)", {0.25, -0.5}).c_str());
  STRCMP_EQUAL("0.25", floats("max(f)", {-0.5, 0.25}).c_str());
  STRCMP_EQUAL("-5", over("min(t)", {Value::of_time(7), Value::of_time(-5)}).c_str());
}

TEST(Aggregate, min_and_max_of_text_go_by_bytes) {
  const std::vector<Value> texts = {Value::of_string("b"), Value::of_string("aa"), Value::of_string("a"),
                                    Value::of_string("\xC3\xA9")};
  STRCMP_EQUAL("a", over("min(s)", texts).c_str());
  STRCMP_EQUAL("\xC3\xA9", over("max(s)", texts).c_str());
  STRCMP_EQUAL("", over("min(s)", {Value::of_string("b"), Value::of_string("")}).c_str());
}

TEST(Aggregate, text_fills_its_bound_and_no_more) {
  // over() looks at the bytes behind the accumulator.
  STRCMP_EQUAL("abcde", over("last(s)", {Value::of_string("abcde")}).c_str());
  STRCMP_EQUAL("zz", over("max(s)", {Value::of_string("abcde"), Value::of_string("zz")}).c_str());
  Aggregation last = aggregation_of("x", "last(s)", input);
  UNSIGNED_LONGS_EQUAL(5, last.aggregate->max_length());
}

TEST(Aggregate, first_and_last_go_by_event_time_not_by_arrival) {
  const std::vector<Value> values = {Value::of_int(1), Value::of_int(2), Value::of_int(3)};
  STRCMP_EQUAL("2", over("first(i)", values, {50, -10, 60}).c_str());
  STRCMP_EQUAL("1", over("last(i)", values, {50, -10, 20}).c_str());
}

TEST(Aggregate, of_equal_event_times_first_keeps_the_earlier_and_last_the_later_arrival) {
  const std::vector<Value> values = {Value::of_int(1), Value::of_int(2), Value::of_int(3)};
  STRCMP_EQUAL("1", over("first(i)", values, {5, 5, 5}).c_str());
  STRCMP_EQUAL("3", over("last(i)", values, {5, 5, 5}).c_str());
}

TEST(Aggregate, first_and_last_take_any_type) {
  STRCMP_EQUAL("false", over("first(b)", {Value::of_bool(false), Value::of_bool(true)}).c_str());
  STRCMP_EQUAL("true", over("last(b)", {Value::of_bool(false), Value::of_bool(true)}).c_str());
  STRCMP_EQUAL("x", over("first(s)", {Value::of_string("x")}).c_str());
  STRCMP_EQUAL("9", over("last(t)", {Value::of_time(9)}).c_str());
  STRCMP_EQUAL("0.5", over("last(f)", {Value::of_float(0.5)}).c_str());
}

TEST(Aggregate, an_unknown_function_is_told_with_the_nearest_name) {
  refused("unknown aggregate \"agv\"", "agv", "agv(f)");
  STRCMP_EQUAL("avg", errors[0].suggestion.c_str());
  refused("unknown aggregate \"mode\"", "mode", "mode(f)");
  STRCMP_EQUAL("", errors[0].suggestion.c_str());
}

TEST(Aggregate, a_missing_argument_is_told) {
  refused("sum needs an argument: sum(x)", "sum", "sum()");
  refused("first needs an argument: first(x)", "first", " first( )");
}

TEST(Aggregate, a_missing_number_is_told) {
  refused("percentile needs the percentage: percentile(x, 95)", "percentile", "percentile(f)");
  refused("collect needs the number of values: collect(x, 10)", "collect", "collect(f)");
  refused("percentile needs an argument: percentile(x, 95)", "percentile", "percentile()");
}

TEST(Aggregate, a_number_out_of_its_range_is_told_and_marked) {
  for (const char* text : {"percentile(f, 0)", "percentile(f, 100)", "percentile(f, 99.9, 0.005)", "median(i, 0.1)",
                           "distinct(s, 4)", "distinct(b, 14)", "collect(i, 1)", "collect(i, 100)"})
    CHECK(made(text));
  refused("the percentage must be a number from 0 to 100", "100.5", "percentile(f, 100.5)");
  refused("the percentage must be a number from 0 to 100", "-1", "percentile(f, -1)");
  refused("the error must be a number from 0.005 to 0.1", "0.004", "percentile(f, 50, 0.004)");
  refused("the error must be a number from 0.005 to 0.1", "1", "median(f, 1)");
  refused("the precision must be a whole number from 4 to 14", "3", "distinct(f, 3)");
  refused("the precision must be a whole number from 4 to 14", "15", "distinct(f, 15)");
  refused("the precision must be a whole number from 4 to 14", "10.0", "distinct(f, 10.0)");
  refused("the number of values must be a whole number from 1 to 100", "0", "collect(f, 0)");
  refused("the number of values must be a whole number from 1 to 100", "101", "collect(f, 101)");
  refused("percentile takes at most 3 arguments", "7", "percentile(f, 5, 0.01, 7)");
}

TEST(Aggregate, what_collect_would_make_too_long_is_told) {
  input = schema_of({{"s", Type::String, 64}});
  CHECK(made("collect(s, 10)"));
  refused("the result can take 4258 bytes, more than 4096; fewer values, or a text field of a smaller length, would fit", "11",
          "collect(s, 11)");
}

TEST(Aggregate, a_number_too_many_is_told) {
  refused("sum takes one argument", "-2.5", "sum(i, -2.5)");
  refused("count takes one argument", "3", "count(i, 3)");
}

TEST(Aggregate, an_argument_of_a_wrong_type_is_told_and_marked) {
  refused("sum takes int or float, not string", "s", "sum(s)");
  refused("avg takes int or float, not time", "t", "avg( t )");
  refused("min takes int, float, string or time, not bool", "f > 3", "min(f > 3 )");
  refused("max takes int, float, string or time, not bool", "b", "max(b)");
  refused("last takes bool, int, float, string or time, not null", "null", "last(null)");
}

TEST(Aggregate, count_takes_any_argument) {
  for (const char* text : {"count(b)", "count(s)", "count(t)", "count(null)", "count(i + 1)"}) CHECK(made(text));
}

TEST(Aggregate, the_call_is_kept_without_blanks_that_mean_nothing) {
  STRCMP_EQUAL("avg(f*2)", aggregation_of("x", "  avg ( f * 2 )", input).text.c_str());
  STRCMP_EQUAL("count(b and not b)", aggregation_of("x", "count(b  and not  b)", input).text.c_str());
  STRCMP_EQUAL("count(s=='a  b')", aggregation_of("x", "count( s == 'a  b' )", input).text.c_str());
  STRCMP_EQUAL("count(s=='a '' b')", aggregation_of("x", "count(s == 'a '' b')", input).text.c_str());
}

TEST(Aggregate, bytes_that_no_accumulator_can_hold_are_not_valid) {
  const std::pair<const char*, std::pair<size_t, uint8_t>> wrong[] = {
      {"count()", {7, 0x80}}, {"sum(i)", {16, 2}}, {"sum(f)", {16, 2}},  {"avg(f)", {23, 0x80}}, {"min(i)", {0, 2}},
      {"max(s)", {1, 6}},     {"max(s)", {2, 1}},  {"first(b)", {9, 2}}, {"last(b)", {8, 2}},    {"last(s)", {9, 6}},
  };
  for (const auto& [text, byte] : wrong) {
    Aggregation made = aggregation_of("x", text, input);
    memset(memory, 0, sizeof memory);
    CHECK(made.aggregate->valid(memory));
    memory[byte.first] = byte.second;
    CHECK_FALSE(made.aggregate->valid(memory));
  }
  const double nan = std::nan("");
  memset(memory, 0, sizeof memory);
  memory[0] = 1;
  memcpy(memory + 1, &nan, sizeof nan);
  CHECK_FALSE(aggregation_of("x", "min(f)", input).aggregate->valid(memory));
}
