// regress: slope, fit, forecast and r2 against their definitions, bounds by number and time, cuts, and large epochs.
#include <cmath>

#include "firmware-tests/unit/numeric_step_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr const char* over_5 =
    R"(regress = { field = "value", samples = 5, slope = "k", fit = "f", forecast = "c", ahead = "10s", r2 = "r" })";

struct NaiveSample {
  int64_t time_ms;
  double value;
};

struct NaiveLine {
  double slope;  // per second
  double fit;
  double forecast;  // 10 s ahead
  double r2;
};

/// The normal equations in long double, with times relative to the newest.
NaiveLine naive_line(const std::vector<NaiveSample>& samples) {
  const auto count = static_cast<long double>(samples.size());
  long double t = 0, v = 0;
  for (const NaiveSample& each : samples) {
    t += static_cast<long double>(each.time_ms - samples.back().time_ms);
    v += each.value;
  }
  t /= count, v /= count;
  long double tt = 0, tv = 0, vv = 0;
  for (const NaiveSample& each : samples) {
    const long double dt = static_cast<long double>(each.time_ms - samples.back().time_ms) - t;
    const long double dv = each.value - v;
    tt += dt * dt, tv += dt * dv, vv += dv * dv;
  }
  const long double slope = tv / tt;
  return {static_cast<double>(slope * 1000), static_cast<double>(v - slope * t), static_cast<double>(v + slope * (10'000 - t)),
          static_cast<double>(tv * tv / (tt * vv))};
}

}  // namespace

TEST_GROUP(Regress) {
  int checked = 0;

  std::string last(const NumericStep& step) {
    std::string text;
    for (const char* name : {"k", "f", "c", "r"}) text += (text.empty() ? "" : " ") + text_of(step.result(name));
    return text;
  }
  void check_against(const NaiveLine& line, const NumericStep& step, double magnitude) {
    ++checked;
    const double tolerance = 1e-11 * magnitude;
    DOUBLES_EQUAL(line.slope, step.number("k"), tolerance);
    DOUBLES_EQUAL(line.fit, step.number("f"), tolerance);
    DOUBLES_EQUAL(line.forecast, step.number("c"), tolerance);
    if (!step.result("r").is_null()) DOUBLES_EQUAL(line.r2, step.number("r"), 1e-9);
  }
};

TEST(Regress, says_nothing_until_there_are_two_times) {
  NumericStep step(over_5);
  step.send(1000, 5);
  STRCMP_EQUAL("null null null null", last(step).c_str());
  step.send(1000, 7);
  STRCMP_EQUAL("null null null null", last(step).c_str());
  step.send(2000, 8);
  DOUBLES_EQUAL(2, step.number("k"), 1e-15);
  DOUBLES_EQUAL(8, step.number("f"), 1e-14);
  DOUBLES_EQUAL(28, step.number("c"), 1e-14);
  DOUBLES_EQUAL(4.0 / 7, step.number("r"), 1e-14);
}

TEST(Regress, finds_the_line_that_the_values_lie_on) {
  NumericStep step(over_5);
  for (int64_t index = 0; index < 5; ++index) step.send(index * 1000, 3.0 + 2.0 * static_cast<double>(index));
  STRCMP_EQUAL("2 11 31 1", last(step).c_str());
}

TEST(Regress, forgets_what_is_beyond_samples_or_older_than_within) {
  NumericStep by_number(R"(regress = { field = "value", samples = 2, slope = "k" })");
  by_number.send(0, 100);
  by_number.send(1000, 1);
  by_number.send(2000, 4);
  DOUBLES_EQUAL(3, by_number.number("k"), 0);

  NumericStep by_time(R"(regress = { field = "value", samples = 9, within = "10s", slope = "k" })");
  by_time.send(0, 100);
  by_time.send(10'000, 0);
  DOUBLES_EQUAL(-10, by_time.number("k"), 0);
  by_time.send(10'001, 0);
  DOUBLES_EQUAL(0, by_time.number("k"), 0);
  by_time.send(30'000, 5);
  CHECK(by_time.result("k").is_null());
}

TEST(Regress, counts_the_slope_per_unit) {
  NumericStep step(R"(regress = { field = "n", samples = 2, slope = "k", unit = "1h" })");
  step.send_int(0, 10);
  step.send_int(60'000, 11);
  DOUBLES_EQUAL(60, step.number("k"), 1e-12);
}

TEST(Regress, a_level_line_has_no_r2) {
  NumericStep step(over_5);
  for (int64_t index = 0; index < 7; ++index) step.send(index * 777, 0.1);
  STRCMP_EQUAL("0 0.1 0.1 null", last(step).c_str());
}

TEST(Regress, a_null_goes_on_with_nulls_and_changes_nothing) {
  NumericStep step(over_5);
  step.send(0, 1);
  step.send_null(500);
  STRCMP_EQUAL("null null null null", last(step).c_str());
  step.send(1000, 2);
  STRCMP_EQUAL("1 2 12 1", last(step).c_str());
}

TEST(Regress, keys_do_not_see_each_other_and_late_records_are_left_out) {
  NumericStep step(over_5);
  step.send(0, 1);
  step.send(500, 77, "b");
  CHECK(step.send(-1, 9) == Outcome::Late);
  step.send(1000, 2);
  STRCMP_EQUAL("1 2 12 1", last(step).c_str());
}

TEST(Regress, loses_no_digits_to_large_epochs) {
  NumericStep early(over_5);
  NumericStep late(over_5);
  Random random(29);
  for (int64_t index = 0; index < 20; ++index) {
    const double value = random_reading(random);
    early.send(index * 3, value);
    late.send(4'102'444'800'000'000 + index * 3, value);
    STRCMP_EQUAL(last(early).c_str(), last(late).c_str());
  }
}

TEST(Regress, what_leaves_the_range_of_a_double_is_null) {
  NumericStep step(over_5);
  step.send(0, -1.7e308);
  step.send(1, 1.7e308);
  CHECK(step.result("k").is_null());
  step.send(INT64_MAX, 1);
  CHECK(step.cut());
}

TEST(Regress, agrees_with_the_definition_on_recorded_and_random_series) {
  std::vector<std::vector<double>> all = recorded_series();
  Random random(31);
  printf("seed 31\n");
  all.emplace_back(3000);
  for (double& value : all.back()) value = random_reading(random);
  for (const std::vector<double>& series : all) {
    NumericStep step(
        R"(regress = { field = "value", samples = 20, within = "15min", slope = "k", fit = "f", forecast = "c", ahead = "10s", r2 = "r" })");
    std::vector<NaiveSample> samples;
    int64_t time_ms = 1'700'000'000'000;
    for (const double value : series) {
      time_ms += random.between(0, 120'000);
      samples.push_back({time_ms, value});
      if (samples.size() > 20) samples.erase(samples.begin());
      std::erase_if(samples, [&](const NaiveSample& each) { return time_ms - each.time_ms > 900'000; });
      step.send(time_ms, value);
      if (step.result("k").is_null()) continue;
      double magnitude = 1;
      for (const NaiveSample& each : samples) magnitude = std::max(magnitude, std::fabs(each.value));
      check_against(naive_line(samples), step, magnitude * 100);
    }
  }
  CHECK(checked > 2000);
}

TEST(Regress, nothing_of_a_million_records_stays_in_the_line) {
  NumericStep step(over_5);
  step.sink.keep = false;
  Random random(37);
  for (int64_t index = 0; index < 1'000'000; ++index) step.send(index, random_reading(random) * 1e9);
  for (int64_t index = 0; index < 5; ++index) step.send(2'000'000 + index * 1000, 3.0 + 2.0 * static_cast<double>(index));
  STRCMP_EQUAL("2 11 31 1", last(step).c_str());
}

TEST(Regress, goes_on_where_it_was_after_every_cut) { check_every_cut(over_5, 41); }

TEST(Regress, refuses_stored_bytes_that_it_cannot_have_written) {
  NumericStep step(over_5);
  step.send(1000, 1);
  step.send(2000, 1);
  // The first sample's time becomes later than the second's.
  CHECK(!step.load_damaged(24, 4 + 8 + 6, 1).ok());
}

TEST(Regress, says_what_is_wrong_with_its_options) {
  auto errors = [](const char* line) { return NumericStep(line).errors(); };
  STRCMP_CONTAINS("needs at least one of", errors(R"(regress = { field = "value", samples = 5 })").c_str());
  STRCMP_CONTAINS("belong together", errors(R"(regress = { field = "value", samples = 5, forecast = "f" })").c_str());
  STRCMP_CONTAINS("belong together",
                  errors(R"(regress = { field = "value", samples = 5, slope = "k", ahead = "1s" })").c_str());
  STRCMP_CONTAINS("samples", errors(R"(regress = { field = "value", samples = 1, slope = "k" })").c_str());
  STRCMP_CONTAINS("samples", errors(R"(regress = { field = "value", slope = "k" })").c_str());
  STRCMP_CONTAINS("text: \"text\" is string", errors(R"(regress = { field = "text", samples = 5, slope = "k" })").c_str());
}
