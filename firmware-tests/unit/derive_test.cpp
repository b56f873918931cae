// derive: rate, delta, increase, integral, mean; first records, gaps, resets, nulls, and no drift.
#include <cmath>

#include "firmware-tests/unit/numeric_step_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr const char* everything =
    R"(derive = { field = "value", rate = "r", delta = "d", increase = "i", integral = "a", mean = "m" })";
constexpr const char* of_ints = R"(derive = { field = "n", rate = "r", delta = "d", increase = "i" })";

}  // namespace

TEST_GROUP(Derive){std::string after(NumericStep & step){std::string text;
for (const char* name : {"r", "d", "i", "a", "m"}) text += (text.empty() ? "" : " ") + text_of(step.result(name));
return text;
}
}
;

TEST(Derive, says_nothing_about_the_first_record_of_a_key) {
  NumericStep step(everything);
  CHECK(step.send(1000, 5) == Outcome::Applied);
  STRCMP_EQUAL("null null null null null", after(step).c_str());
  step.send(2000, 7, "b");
  STRCMP_EQUAL("null null null null null", after(step).c_str());
}

TEST(Derive, compares_each_record_with_the_one_before) {
  NumericStep step(everything);
  step.send(1000, 5);
  step.send(3000, 8);
  STRCMP_EQUAL("1.5 3 3 13 6.5", after(step).c_str());
  step.send(4000, 6);
  STRCMP_EQUAL("-2 -2 6 20 6.666666666666667", after(step).c_str());
}

TEST(Derive, has_no_rate_where_no_time_has_passed) {
  NumericStep step(everything);
  step.send(1000, 5);
  step.send(1000, 8);
  STRCMP_EQUAL("null 3 3 0 null", after(step).c_str());
  step.send(2000, 8);
  STRCMP_EQUAL("0 0 0 8 8", after(step).c_str());
}

TEST(Derive, leaves_out_late_records_and_takes_equal_times) {
  NumericStep step(everything);
  step.send(1000, 5);
  CHECK(step.send(999, 5) == Outcome::Late);
  CHECK(step.send(1000, 5) == Outcome::Applied);
  LONGS_EQUAL(2, step.sink.rows.size());
}

TEST(Derive, a_null_goes_on_with_nulls_and_changes_nothing) {
  NumericStep step(everything);
  step.send(1000, 5);
  step.send_null(2000);
  STRCMP_EQUAL("null null null null null", after(step).c_str());
  step.send(3000, 7);
  STRCMP_EQUAL("1 2 2 12 6", after(step).c_str());
}

TEST(Derive, takes_the_earlier_value_with_the_step_method_and_counts_in_units) {
  NumericStep step(R"(derive = { field = "value", rate = "r", integral = "a", mean = "m", method = "step", unit = "1h" })");
  step.send(0, 100);
  step.send(1'800'000, 300);
  DOUBLES_EQUAL(50, step.number("a"), 0);
  DOUBLES_EQUAL(400, step.number("r"), 0);
  DOUBLES_EQUAL(100, step.number("m"), 0);
}

TEST(Derive, begins_anew_after_a_gap_that_is_longer_than_max_gap) {
  NumericStep step(
      R"(derive = { field = "value", rate = "r", delta = "d", increase = "i", integral = "a", mean = "m", max_gap = "10s" })");
  step.send(0, 1);
  step.send(10'000, 2);
  STRCMP_EQUAL("0.1 1 1 15 1.5", after(step).c_str());
  step.send(20'001, 5);
  STRCMP_EQUAL("null null null null null", after(step).c_str());
  step.send(21'001, 5);
  STRCMP_EQUAL("0 0 0 5 5", after(step).c_str());
}

TEST(Derive, a_counter_that_falls_has_counted_from_zero) {
  NumericStep step(of_ints);
  step.send_int(0, 100);
  step.send_int(1000, 130);
  LONGS_EQUAL(30, step.result("i").as_int());
  step.send_int(2000, 4);
  LONGS_EQUAL(4, step.result("i").as_int());
  LONGS_EQUAL(-126, step.result("d").as_int());
  step.send_int(3000, -1);
  CHECK(step.result("i").is_null());
  step.send_int(4000, 2);
  CHECK(step.result("i").is_null());
  step.send_int(5000, 3);
  LONGS_EQUAL(1, step.result("i").as_int());
}

TEST(Derive, a_counter_with_a_maximum_wraps_around) {
  NumericStep step(R"(derive = { field = "n", increase = "i", max = 255 })");
  step.send_int(0, 250);
  step.send_int(1, 255);
  LONGS_EQUAL(5, step.result("i").as_int());
  step.send_int(2, 0);
  LONGS_EQUAL(1, step.result("i").as_int());
  step.send_int(3, 254);
  step.send_int(4, 3);
  LONGS_EQUAL(5, step.result("i").as_int());
  step.send_int(5, 256);
  CHECK(step.result("i").is_null());
  step.send_int(6, 10);
  CHECK(step.result("i").is_null());

  NumericStep meter(R"(derive = { field = "value", increase = "i", max = 9999.5 })");
  meter.send(0, 9999);
  meter.send(1, 2.5);
  DOUBLES_EQUAL(3, meter.number("i"), 0);
}

TEST(Derive, the_rate_of_a_counter_sees_through_its_resets) {
  NumericStep step(R"(derive = { field = "n", rate = "r", increase_rate = "i", unit = "1min" })");
  step.send_int(0, 100);
  CHECK(step.result("i").is_null());
  step.send_int(30'000, 110);
  DOUBLES_EQUAL(20, step.number("i"), 0);
  step.send_int(90'000, 6);  // began again
  DOUBLES_EQUAL(6, step.number("i"), 0);
  DOUBLES_EQUAL(-104, step.number("r"), 0);
  step.send_int(90'000, 7);  // no time has passed, but the counter goes on from here
  CHECK(step.result("i").is_null());
  CHECK(step.cut());
  step.send_int(150'000, 8);
  DOUBLES_EQUAL(1, step.number("i"), 0);
  step.send_int(210'000, -1);
  CHECK(step.result("i").is_null());

  NumericStep wrapping(R"(derive = { field = "value", increase_rate = "i", max = 100 })");
  wrapping.send(0, 99);
  wrapping.send(2000, 1);
  DOUBLES_EQUAL(1, wrapping.number("i"), 0);
  wrapping.send(3000, 101);
  CHECK(wrapping.result("i").is_null());
}

TEST(Derive, ints_beyond_the_range_are_null_and_large_ones_exact) {
  NumericStep step(of_ints);
  step.send_int(0, INT64_MAX - 1);
  step.send_int(1000, INT64_MAX);
  LONGS_EQUAL(1, step.result("d").as_int());
  DOUBLES_EQUAL(1, step.number("r"), 0);
  step.send_int(2000, INT64_MIN);
  CHECK(step.result("d").is_null());
  DOUBLES_EQUAL(-18446744073709551616.0, step.number("r"), 0);
}

TEST(Derive, what_leaves_the_range_of_a_double_is_null_and_begins_anew) {
  NumericStep step(everything);
  step.send(0, 1e308);
  step.send(1000, 1e308);
  CHECK(step.result("a").is_null());
  step.send(2000, -1e308);
  CHECK(step.result("d").is_null());
  CHECK(step.result("r").is_null());
  DOUBLES_EQUAL(0, step.number("m"), 0);
  step.send(3000, 2);
  step.send(4000, 2);
  CHECK(step.cut());
}

TEST(Derive, times_at_the_ends_of_the_range_do_no_harm) {
  NumericStep step(everything);
  step.send(INT64_MIN + 1, 1);
  step.send(INT64_MAX, 3);
  DOUBLES_EQUAL(2, step.number("m"), 1e-9);
}

TEST(Derive, goes_on_where_it_was_after_every_cut) {
  NumericStep whole(everything);
  NumericStep cut(everything);
  Random random(7);
  int64_t time_ms = -5000;
  for (int index = 0; index < 60; ++index) {
    time_ms += random.between(-100, 2000);
    const double value = random_reading(random);
    CHECK(whole.send(time_ms, value) == cut.send(time_ms, value));
    CHECK(cut.cut());
  }
  const std::string expected = whole.taken();
  STRCMP_EQUAL(expected.c_str(), cut.taken().c_str());
}

TEST(Derive, refuses_stored_bytes_that_it_cannot_have_written) {
  struct Damage {
    uint32_t at;
    uint8_t byte;
    bool readable;
  };
  // Another value; an infinite one (the bytes of 1.0 become those of infinity); a flag of 2; a run that begins after its end.
  for (const Damage& damage : {Damage{6, 0xf1, true}, Damage{7, 0x7f, false}, Damage{40, 2, false}, Damage{22, 1, false}}) {
    NumericStep step(everything);
    step.send(1000, 1.0);
    CHECK_EQUAL(damage.readable, step.load_damaged(24, damage.at, damage.byte).ok());
  }
}

TEST(Derive, agrees_with_an_exact_computation_after_a_million_records) {
  NumericStep step(everything);
  step.sink.keep = false;
  Random random(11);
  printf("seed 11\n");
  // Values are multiples of 1/16 and times of 2 ms: the area is a whole number of 1/16 value * ms.
  int64_t time_ms = 1'700'000'000'000;
  int64_t begin = 0;
  int64_t last = 0;
  int64_t area = 0;
  for (int index = 0; index < 1'000'000; ++index) {
    const int64_t elapsed = 2 * random.between(0, 500);
    const int64_t value = random.between(-100'000, 1'000'000);
    time_ms += elapsed;
    step.send(time_ms, static_cast<double>(value) / 16);
    if (index == 0) begin = time_ms;
    if (index > 0) area += (last + value) * (elapsed / 2);
    last = value;
  }
  const double exact = static_cast<double>(area) / 16 / 1000;
  DOUBLES_EQUAL(exact, step.number("a"), std::fabs(exact) * 4e-16);
  const double mean = static_cast<double>(area) / 16 / static_cast<double>(time_ms - begin);
  DOUBLES_EQUAL(mean, step.number("m"), std::fabs(mean) * 4e-16);
}

TEST(Derive, agrees_with_definitions_on_recorded_series) {
  for (const std::vector<double>& series : recorded_series()) {
    NumericStep step(everything);
    double area = 0;
    double magnitude = 1;
    for (size_t index = 0; index < series.size(); ++index) {
      step.send(static_cast<int64_t>(index) * 60'000, series[index]);
      if (index == 0) continue;
      area += (series[index] + series[index - 1]) * 30;
      magnitude += std::fabs(area);
      DOUBLES_EQUAL(series[index] - series[index - 1], step.number("d"), 0);
      DOUBLES_EQUAL((series[index] - series[index - 1]) / 60, step.number("r"), 1e-12);
      DOUBLES_EQUAL(area, step.number("a"), magnitude * 1e-15);
    }
  }
}

TEST(Derive, says_what_is_wrong_with_its_options) {
  auto errors = [](const char* line) { return NumericStep(line).errors(); };
  STRCMP_CONTAINS("needs at least one of", errors(R"(derive = { field = "value" })").c_str());
  STRCMP_CONTAINS("valu: there is no field \"valu\"", errors(R"(derive = { field = "valu", rate = "r" })").c_str());
  STRCMP_CONTAINS("text: \"text\" is string", errors(R"(derive = { field = "text", rate = "r" })").c_str());
  STRCMP_CONTAINS("value: two fields would be called", errors(R"(derive = { field = "value", rate = "value" })").c_str());
  STRCMP_EQUAL("", errors(R"(derive = { field = "n", increase_rate = "d", max = 9 })").c_str());
  STRCMP_CONTAINS("\"max\" belongs to \"increase\"", errors(R"(derive = { field = "n", delta = "d", max = 9 })").c_str());
  STRCMP_CONTAINS("whole number", errors(R"(derive = { field = "n", increase = "i", max = 9.5 })").c_str());
  STRCMP_CONTAINS("method", errors(R"(derive = { field = "n", mean = "m", method = "line" })").c_str());
  STRCMP_EQUAL("", errors(R"(derive = { field = "n", increase = "i", max = 9007199254740992 })").c_str());
}
