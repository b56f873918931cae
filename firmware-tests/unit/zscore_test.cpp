// zscore: the score against its definition, what is learned, limits, cuts, and no drift.
#include <cmath>

#include "agent/operators/spread.h"
#include "firmware-tests/unit/numeric_step_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr const char* over_all = R"(zscore = { field = "value", anomaly = "odd", threshold = 2 })";
constexpr const char* over_4 = R"(zscore = { field = "value", samples = 4, anomaly = "odd", threshold = 2 })";

/// The score by its definition, in two passes over what was before.
double exact_score(const std::vector<double>& before, double value) {
  long double sum = 0;
  for (const double each : before) sum += each;
  const long double mean = sum / static_cast<long double>(before.size());
  long double squares = 0;
  for (const double each : before) squares += (each - mean) * (each - mean);
  return static_cast<double>((value - mean) / std::sqrt(squares / static_cast<long double>(before.size() - 1)));
}

}  // namespace

TEST_GROUP(ZScore) {
  int64_t now_ms = 0;

  void feed(NumericStep & step, std::initializer_list<double> values) {
    for (const double value : values) step.send(++now_ms, value);
  }
  std::string last(const NumericStep& step) { return text_of(step.result("z")) + " " + text_of(step.result("odd")); }
};

TEST(ZScore, compares_with_the_values_before_and_not_with_itself) {
  NumericStep step(over_all);
  feed(step, {1});
  STRCMP_EQUAL("null null", last(step).c_str());
  feed(step, {3});
  STRCMP_EQUAL("null null", last(step).c_str());
  // Mean 2, deviation sqrt(2).
  feed(step, {2});
  STRCMP_EQUAL("0 false", last(step).c_str());
  // Mean 2, deviation 1.
  feed(step, {4});
  STRCMP_EQUAL("2 false", last(step).c_str());
}

TEST(ZScore, is_an_anomaly_beyond_the_threshold_and_not_at_it) {
  for (const double beyond : {4.0, 4.0000001, 0.0, -0.0000001}) {
    NumericStep step(over_all);
    feed(step, {1, 3, 2, beyond});
    CHECK_EQUAL(beyond > 4 || beyond < 0, step.result("odd").as_bool());
  }
}

TEST(ZScore, waits_for_min_samples) {
  NumericStep step(R"(zscore = { field = "n", z = "score", min_samples = 3 })");
  for (const int64_t value : {1, 3, 2}) {
    step.send_int(0, value);
    CHECK(step.result("score").is_null());
  }
  step.send_int(0, 4);
  DOUBLES_EQUAL(2, step.number("score"), 0);
}

TEST(ZScore, has_no_score_where_nothing_varies) {
  for (const char* line : {over_all, over_4}) {
    NumericStep step(line);
    feed(step, {0.1, 0.1, 0.1, 0.1, 0.1, 7});
    STRCMP_EQUAL("null null", last(step).c_str());
    feed(step, {7});
    CHECK(!step.result("z").is_null());
  }
}

TEST(ZScore, a_window_forgets_what_is_older) {
  NumericStep step(over_4);
  feed(step, {1000, 1, 3, 2, 2});
  // Over 1, 3, 2, 2: mean 2, deviation sqrt(2/3).
  feed(step, {3});
  DOUBLES_EQUAL(1 / std::sqrt(2.0 / 3), step.number("z"), 1e-15);
}

TEST(ZScore, learns_from_anomalies_unless_told_otherwise) {
  NumericStep all(over_all);
  NumericStep normal(R"(zscore = { field = "value", anomaly = "odd", threshold = 2, learn = "normal" })");
  for (NumericStep* step : {&all, &normal}) feed(*step, {1, 3, 2, 100, 2});
  CHECK(all.number("z") < 0);
  DOUBLES_EQUAL(0, normal.number("z"), 0);
  feed(normal, {100});
  CHECK(normal.result("odd").as_bool());
}

TEST(ZScore, a_null_goes_on_with_nulls_and_teaches_nothing) {
  NumericStep step(over_all);
  feed(step, {1, 3, 2});
  step.send_null(++now_ms);
  STRCMP_EQUAL("null null", last(step).c_str());
  feed(step, {4});
  STRCMP_EQUAL("2 false", last(step).c_str());
}

TEST(ZScore, keys_do_not_see_each_other_and_late_records_are_left_out) {
  NumericStep step(over_all);
  feed(step, {1, 3, 2});
  step.send(now_ms, 50, "b");
  step.send(now_ms, 70, "b");
  CHECK(step.send(now_ms - 1, 9) == Outcome::Late);
  CHECK(step.send(now_ms, 4) == Outcome::Applied);
  STRCMP_EQUAL("2 false", last(step).c_str());
}

TEST(ZScore, keeps_its_digits_far_from_zero) {
  for (const char* line : {over_all, over_4}) {
    NumericStep step(line);
    feed(step, {1e9 + 1, 1e9 + 3, 1e9 + 2, 1e9 + 2, 1e9 + 3});
    DOUBLES_EQUAL(1 / std::sqrt(2.0 / 3), step.number("z"), 1e-12);
  }
}

TEST(ZScore, what_leaves_the_range_of_a_double_is_null_and_begins_anew) {
  for (const char* line : {over_all, over_4}) {
    NumericStep step(line);
    feed(step, {1e308, -1e308, 1e308});
    CHECK(step.result("z").is_null());
    feed(step, {1, 3, 2, 2});
    CHECK(step.cut());
    feed(step, {3});
    CHECK(!step.result("z").is_null());
  }
}

TEST(ZScore, agrees_with_the_definition_on_recorded_and_random_series) {
  std::vector<std::vector<double>> all = recorded_series();
  Random random(17);
  printf("seed 17\n");
  all.emplace_back(3000);
  for (double& value : all.back()) value = random_reading(random);
  for (const std::vector<double>& series : all) {
    NumericStep window(R"(zscore = { field = "value", samples = 30 })");
    NumericStep history(R"(zscore = { field = "value" })");
    for (size_t index = 0; index < series.size(); ++index) {
      window.send(static_cast<int64_t>(index), series[index]);
      history.send(static_cast<int64_t>(index), series[index]);
      const auto at = series.begin() + static_cast<long>(index);
      const double in_window = exact_score({index < 30 ? series.begin() : at - 30, at}, series[index]);
      if (!window.result("z").is_null()) DOUBLES_EQUAL(in_window, window.number("z"), 1e-11 * (1 + std::fabs(in_window)));
      if (index % 500 != 499) continue;
      const double overall = exact_score({series.begin(), at}, series[index]);
      DOUBLES_EQUAL(overall, history.number("z"), 1e-10 * (1 + std::fabs(overall)));
    }
  }
}

TEST(ZScore, has_not_drifted_after_a_million_records) {
  NumericStep history(R"(zscore = { field = "value" })");
  NumericStep window(R"(zscore = { field = "value", samples = 20 })");
  history.sink.keep = window.sink.keep = false;
  Random random(19);
  printf("seed 19\n");
  std::vector<double> all;
  for (int64_t index = 0; index < 1'000'000; ++index) {
    all.push_back(1e6 + random_reading(random));
    history.send(index, all.back());
    window.send(index, all.back());
  }
  history.send(1'000'000, 1e6 + 50);
  window.send(1'000'000, 1e6 + 50);
  const double overall = exact_score(all, 1e6 + 50);
  DOUBLES_EQUAL(overall, history.number("z"), 1e-10 * (1 + std::fabs(overall)));
  const double in_window = exact_score({all.end() - 20, all.end()}, 1e6 + 50);
  DOUBLES_EQUAL(in_window, window.number("z"), 1e-9 * (1 + std::fabs(in_window)));
}

TEST(ZScore, goes_on_where_it_was_after_every_cut) {
  for (const char* line : {over_all, over_4}) check_every_cut(line, 23);
}

TEST(ZScore, refuses_stored_bytes_that_it_cannot_have_written) {
  NumericStep negative(over_all);
  feed(negative, {1, 2});
  CHECK(!negative.load_damaged(24, 23, 0xbf).ok());
  NumericStep infinite(over_all);
  feed(infinite, {1});
  CHECK(!infinite.load_damaged(24, 15, 0x7f).ok());
  NumericStep window(over_4);
  feed(window, {1});
  CHECK(!window.load_damaged(24, 2, 5).ok());
}

TEST(ZScore, says_what_is_wrong_with_its_options) {
  auto errors = [](const char* line) { return NumericStep(line).errors(); };
  STRCMP_CONTAINS("needs \"threshold\"", errors(R"(zscore = { field = "value", anomaly = "a" })").c_str());
  STRCMP_CONTAINS("needs \"threshold\"", errors(R"(zscore = { field = "value", learn = "normal" })").c_str());
  STRCMP_CONTAINS("never be a score", errors(R"(zscore = { field = "value", samples = 4, min_samples = 5 })").c_str());
  STRCMP_CONTAINS("samples", errors(R"(zscore = { field = "value", samples = 1 })").c_str());
  STRCMP_CONTAINS("min_samples", errors(R"(zscore = { field = "value", min_samples = 1 })").c_str());
  STRCMP_CONTAINS("two fields would be called \"n\"", errors(R"(zscore = { field = "value", z = "n" })").c_str());
  STRCMP_CONTAINS("text: \"text\" is string", errors(R"(zscore = { field = "text" })").c_str());
  STRCMP_EQUAL("", errors(R"(zscore = { field = "value", samples = 4, min_samples = 4 })").c_str());
}
