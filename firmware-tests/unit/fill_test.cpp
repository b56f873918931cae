// fill: what takes the place of null by every method; records held back, gaps that are given up, cuts.
#include <cmath>

#include "firmware-tests/unit/numeric_step_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr const char* by_last = R"(fill = { field = "value", method = "last", max_gap = "10s" })";
constexpr const char* by_mean = R"(fill = { field = "value", method = "mean", samples = 3, max_gap = "10s" })";
constexpr const char* by_line = R"(fill = { field = "value", method = "linear", max_gap = "10s", max_held = 3 })";
constexpr const char* without_gap = R"(fill = { field = "value", method = "linear", max_held = 3 })";

}  // namespace

TEST_GROUP(Fill){std::string values(NumericStep & step){std::string text;
for (const NumericRow& row : step.sink.rows) text += (text.empty() ? "" : " ") + text_of(row.values[1]);
step.sink.rows.clear();
return text;
}
std::string times(const NumericStep& step) {
  std::string text;
  for (const NumericRow& row : step.sink.rows) text += (text.empty() ? "" : " ") + std::to_string(row.event_time_ms);
  return text;
}
}
;

TEST(Fill, the_last_value_stands_in_up_to_max_gap_after_it) {
  NumericStep step(by_last);
  step.send_null(0);
  step.send(1000, 5);
  step.send_null(2000);
  step.send_null(11'000);
  step.send_null(11'001);
  step.send(12'000, 6);
  step.send_null(12'000);
  step.send_null(12'000, "b");
  STRCMP_EQUAL("null 5 5 5 null 6 6 null", values(step).c_str());
}

TEST(Fill, the_last_text_or_int_stands_in_as_well) {
  NumericStep texts(R"(fill = { field = "text", method = "last" })");
  texts.send(0, Value::null(), Value::null(), "a", Value::of_string("on"));
  CHECK(texts.cut());
  texts.send_null(INT64_MAX);
  STRCMP_EQUAL("a null null on\na null null on\n", texts.taken().c_str());
  NumericStep ints(R"(fill = { field = "n", method = "last" })");
  ints.send_int(0, INT64_MAX);
  ints.send_null(1);
  STRCMP_EQUAL("a null 9223372036854775807 null\na null 9223372036854775807 null\n", ints.taken().c_str());
}

TEST(Fill, a_constant_stands_in_in_any_order_of_times) {
  NumericStep step(R"(fill = { field = "n", method = "value", value = -1 })");
  step.send_int(1000, 5);
  CHECK(step.send_null(0) == Outcome::Applied);
  STRCMP_EQUAL("a null 5 null\na null -1 null\n", step.taken().c_str());
  NumericStep number(R"(fill = { field = "value", method = "value", value = 0.5 })");
  number.send_null(0);
  STRCMP_EQUAL("0.5", values(number).c_str());
}

TEST(Fill, the_mean_is_over_the_last_values_and_never_over_what_was_filled) {
  NumericStep step(by_mean);
  step.send_null(0);
  step.send(0, 100);
  step.send(1000, 1);
  step.send_null(2000);
  step.send(3000, 2);
  step.send(4000, 6);
  step.send_null(5000);
  step.send_null(14'000);
  step.send_null(14'001);
  STRCMP_EQUAL("null 100 1 50.5 2 6 3 3 null", values(step).c_str());
  step.send(14'001, 8);
  step.send_null(15'000);
  STRCMP_EQUAL("8 8", values(step).c_str());
}

TEST(Fill, a_line_between_both_values_fills_what_was_held_in_between) {
  NumericStep step(by_line);
  CHECK(step.send_null(0) == Outcome::Applied);
  step.send(1000, 10);
  STRCMP_EQUAL("null 10", values(step).c_str());
  CHECK(step.send_null(2000) == Outcome::Applied);
  step.send_null(4000);
  STRCMP_EQUAL("", values(step).c_str());
  step.send(5000, 14);
  STRCMP_EQUAL("2000 4000 5000", times(step).c_str());
  CHECK(step.sink.rows[0].derived && step.sink.rows[1].derived && !step.sink.rows[2].derived);
  STRCMP_EQUAL("11 13 14", values(step).c_str());
}

TEST(Fill, records_of_one_time_are_told_apart) {
  NumericStep step(by_line);
  step.send(1000, 10);
  step.send_null(1000);
  step.send_null(1000);
  step.send(1000, 20);
  CHECK(step.sink.rows[1].identity != step.sink.rows[2].identity);
  STRCMP_EQUAL("10 10 10 20", values(step).c_str());
}

TEST(Fill, a_gap_that_is_longer_than_max_gap_stays_null) {
  NumericStep step(by_line);
  step.send(0, 0);
  step.send_null(5000);
  step.send(10'000, 10);
  STRCMP_EQUAL("0 5 10", values(step).c_str());
  step.send_null(15'000);
  step.send(20'001, 20);
  STRCMP_EQUAL("null 20", values(step).c_str());
  step.send_null(25'000);
  step.send_null(30'002);
  STRCMP_EQUAL("null null", values(step).c_str());
  step.send_null(30'003);
  step.send(30'003, 1);
  STRCMP_EQUAL("null 1", values(step).c_str());
}

TEST(Fill, the_watermark_gives_a_gap_up_when_its_end_cannot_come_any_more) {
  NumericStep step(by_line);
  step.send(0, 0);
  step.send_null(5000);
  step.advance(9999);
  STRCMP_EQUAL("0", values(step).c_str());
  step.advance(10'000);
  STRCMP_EQUAL("null", values(step).c_str());
  step.send_null(10'001);
  STRCMP_EQUAL("null", values(step).c_str());
}

TEST(Fill, nothing_is_held_that_the_watermark_says_cannot_be_filled) {
  for (const int64_t watermark_ms : {10'999, 11'000}) {
    NumericStep step(by_line);
    step.send(1000, 1);
    step.advance(watermark_ms);
    step.send_null(2000);
    STRCMP_EQUAL(watermark_ms == 11'000 ? "1 null" : "1", values(step).c_str());
  }
}

TEST(Fill, a_gap_with_more_than_max_held_records_is_given_up) {
  NumericStep step(without_gap);
  step.send(0, 0);
  for (int64_t time_ms : {1, 2, 3}) step.send_null(time_ms);
  STRCMP_EQUAL("0", values(step).c_str());
  step.send_null(4);
  STRCMP_EQUAL("null null null null", values(step).c_str());
  step.send_null(5);
  STRCMP_EQUAL("null", values(step).c_str());
  step.send(6, 6);
  step.send_null(7);
  step.send(8, 8);
  STRCMP_EQUAL("6 7 8", values(step).c_str());
  LONGS_EQUAL(4, step.step().fan_out());
}

TEST(Fill, a_key_that_is_evicted_hands_on_what_it_holds_if_asked_to) {
  for (const char* evict : {"emit", "oldest"}) {
    NumericStep step(without_gap, std::string("key_by = [\"device\"]\nmax_keys = 1\nevict = \"") + evict + "\"\n");
    step.send(0, 1);
    step.send_null(1);
    step.send_null(2);
    step.send(3, 7, "b");
    STRCMP_EQUAL(evict == std::string("emit") ? "1 null null 7" : "1 7", values(step).c_str());
    LONGS_EQUAL(1, step.step().evicted());
  }
}

TEST(Fill, late_records_are_left_out) {
  NumericStep step(by_line);
  step.send(1000, 1);
  step.send_null(2000);
  CHECK(step.send(1999, 5) == Outcome::Late);
  CHECK(step.send_null(1999) == Outcome::Late);
  step.send(3000, 3);
  STRCMP_EQUAL("1 2 3", values(step).c_str());
}

TEST(Fill, a_line_beyond_the_range_of_a_double_leaves_null) {
  NumericStep step(by_line);
  step.send(0, -1.7e308);
  step.send_null(1);
  step.send(2, 1.7e308);
  STRCMP_EQUAL("-1.7e+308 null 1.7e+308", values(step).c_str());
}

TEST(Fill, goes_on_where_it_was_after_every_cut) {
  for (const char* line : {by_last, by_mean, by_line, without_gap}) {
    NumericStep whole(line);
    NumericStep cut(line);
    Random random(43);
    for (int64_t index = 0; index < 60; ++index) {
      const int64_t time_ms = index * 2000 + random.between(-1500, 1500);
      const Value value = random.chance(60) ? Value::null() : Value::of_float(random_reading(random));
      CHECK(whole.send(time_ms, value, Value::null(), "a") == cut.send(time_ms, value, Value::null(), "a"));
      whole.advance(time_ms - 3000);
      cut.advance(time_ms - 3000);
      CHECK(cut.cut());
      const std::string expected = whole.taken();
      STRCMP_EQUAL(expected.c_str(), cut.taken().c_str());
    }
  }
}

TEST(Fill, loses_and_reorders_nothing_on_recorded_series_with_holes) {
  Random random(47);
  printf("seed 47\n");
  for (const std::vector<double>& series : recorded_series()) {
    NumericStep step(R"(fill = { field = "value", method = "linear", max_gap = "10min", max_held = 20 })");
    std::vector<bool> known;
    for (size_t index = 0; index < series.size(); ++index) {
      known.push_back(index == 0 || index + 1 == series.size() || random.chance(40));
      const auto time_ms = static_cast<int64_t>(index) * 60'000;
      step.send(time_ms, known.back() ? Value::of_float(series[index]) : Value::null(), Value::null(), "a");
    }
    LONGS_EQUAL(series.size(), step.sink.rows.size());
    for (size_t index = 0; index < step.sink.rows.size(); ++index) {
      LONGS_EQUAL(static_cast<int64_t>(index) * 60'000, step.sink.rows[index].event_time_ms);
      size_t before = index;
      size_t after = index;
      while (!known[before]) --before;
      while (!known[after]) ++after;
      const Value& filled = step.sink.rows[index].values[1];
      CHECK_EQUAL(after - before > 10, filled.is_null());
      if (filled.is_null()) continue;
      const double share = after == before ? 0 : static_cast<double>(index - before) / static_cast<double>(after - before);
      const double exact = series[before] * (1 - share) + series[after] * share;
      DOUBLES_EQUAL(exact, filled.as_float(), 1e-12 * (1 + std::fabs(series[before]) + std::fabs(series[after])));
    }
  }
}

TEST(Fill, refuses_stored_bytes_that_it_cannot_have_written) {
  struct Damage {
    const char* line;
    uint32_t header;
    uint32_t at;
    uint8_t byte;
  };
  for (const Damage& damage :
       {Damage{by_last, 24, 8, 2}, Damage{by_mean, 24, 10, 4}, Damage{by_line, 32, 0, 2}, Damage{by_line, 32, 0, 0},
        Damage{by_line, 32, 25, 4}, Damage{by_line, 32, 35, 2}, Damage{by_line, 32, 8, 0x7f}}) {
    NumericStep step(damage.line);
    step.send(0, 1);
    if (damage.header == 32) step.send_null(1);
    CHECK(!step.load_damaged(damage.header, damage.at, damage.byte).ok());
  }
}

TEST(Fill, says_what_is_wrong_with_its_options) {
  auto errors = [](const char* line) { return NumericStep(line).errors(); };
  STRCMP_CONTAINS("needs \"value\"", errors(R"(fill = { field = "value", method = "value" })").c_str());
  STRCMP_CONTAINS("needs \"samples\"", errors(R"(fill = { field = "value", method = "mean" })").c_str());
  STRCMP_CONTAINS("says nothing with method = \"last\"",
                  errors(R"(fill = { field = "value", method = "last", value = 0 })").c_str());
  STRCMP_CONTAINS("says nothing with method = \"last\"",
                  errors(R"(fill = { field = "n", method = "last", max_held = 3 })").c_str());
  STRCMP_CONTAINS("\"max_gap\" says nothing",
                  errors(R"(fill = { field = "n", method = "value", value = 0, max_gap = "1s" })").c_str());
  STRCMP_CONTAINS("no whole number", errors(R"(fill = { field = "n", method = "value", value = 0.5 })").c_str());
  STRCMP_CONTAINS("\"n\" is int", errors(R"(fill = { field = "n", method = "linear" })").c_str());
  STRCMP_CONTAINS("\"n\" is int", errors(R"(fill = { field = "n", method = "mean", samples = 2 })").c_str());
  STRCMP_CONTAINS("\"text\" is string", errors(R"(fill = { field = "text", method = "value", value = 1 })").c_str());
  STRCMP_CONTAINS("max_held", errors(R"(fill = { field = "value", method = "linear", max_held = 257 })").c_str());
}
