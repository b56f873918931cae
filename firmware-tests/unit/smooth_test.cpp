// smooth: every method against its definition, with gaps, nulls, cuts, and no drift.
#include <cmath>

#include "agent/operators/decay.h"
#include "firmware-tests/unit/numeric_step_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr const char* average_of_3 = R"(smooth = { field = "value", as = "s", method = "moving-average", samples = 3 })";
constexpr const char* median_of_3 = R"(smooth = { field = "value", as = "s", method = "median", samples = 3 })";
constexpr const char* by_half_life = R"(smooth = { field = "value", as = "s", method = "ewma", half_life = "10s" })";
constexpr const char* kalman =
    R"(smooth = { field = "value", as = "s", method = "kalman", process_noise = 0.5, measurement_noise = 2 })";

}  // namespace

TEST_GROUP(Smooth) {
  size_t sent = 0;

  std::string smoothed(NumericStep & step, std::initializer_list<double> values) {
    std::string text;
    for (const double value : values) {
      step.send(static_cast<int64_t>(++sent) * 1000, value);
      text += (text.empty() ? "" : " ") + text_of(step.result("s"));
    }
    return text;
  }
  std::string errors(const std::string& options) {
    return NumericStep("smooth = { field = \"value\", as = \"s\", " + options + " }").errors();
  }
};

TEST(Smooth, the_moving_average_is_over_the_last_samples_and_at_first_over_fewer) {
  NumericStep step(average_of_3);
  STRCMP_EQUAL("3 4 6 9 6", smoothed(step, {3, 5, 10, 12, -4}).c_str());
}

TEST(Smooth, the_average_of_equal_values_is_exactly_their_value) {
  NumericStep step(R"(smooth = { field = "value", as = "s", method = "moving-average", samples = 49 })");
  for (int index = 0; index < 100; ++index) {
    step.send(index, 0.1);
    DOUBLES_EQUAL(0.1, step.number("s"), 0);
  }
}

TEST(Smooth, the_median_is_the_middle_one_and_at_first_between_two) {
  NumericStep step(median_of_3);
  STRCMP_EQUAL("3 4 5 10 10", smoothed(step, {3, 5, 100, 10, 7}).c_str());
}

TEST(Smooth, replaces_the_field_unless_the_result_has_a_name) {
  NumericStep step(R"(smooth = { field = "n", method = "moving-average", samples = 2 })");
  step.send_int(0, 3);
  step.send_int(1, 4);
  STRCMP_EQUAL("a null 3 null\na null 3.5 null\n", step.taken().c_str());
  LONGS_EQUAL(static_cast<int>(Type::Float), static_cast<int>(step.step().schema()[2].type));
  LONGS_EQUAL(4, step.step().schema().size());
}

TEST(Smooth, keys_do_not_see_each_other_and_late_records_are_left_out) {
  NumericStep step(average_of_3);
  step.send(1000, 2);
  step.send(2000, 8, "b");
  DOUBLES_EQUAL(8, step.number("s"), 0);
  CHECK(step.send(999, 2) == Outcome::Late);
  CHECK(step.send(1000, 4) == Outcome::Applied);
  DOUBLES_EQUAL(3, step.number("s"), 0);
}

TEST(Smooth, a_null_goes_on_as_null_and_changes_nothing) {
  NumericStep step(average_of_3);
  step.send(0, 2);
  step.send_null(1);
  CHECK(step.result("s").is_null());
  step.send(2, 4);
  DOUBLES_EQUAL(3, step.number("s"), 0);
}

TEST(Smooth, begins_anew_after_a_gap_that_is_longer_than_max_gap) {
  for (const char* method : {R"("moving-average", samples = 9)", R"("median", samples = 9)", R"("ewma", alpha = 0.5)",
                             R"("kalman", process_noise = 0, measurement_noise = 1)"}) {
    NumericStep step(std::string(R"(smooth = { field = "value", as = "s", max_gap = "1s", method = )") + method + " }");
    step.send(0, 2);
    step.send(1000, 4);
    DOUBLES_EQUAL(3, step.number("s"), 0);
    step.send(2001, 8);
    DOUBLES_EQUAL(8, step.number("s"), 0);
    step.send(2002, 10);
    DOUBLES_EQUAL(9, step.number("s"), 0);
  }
}

TEST(Smooth, ewma_moves_by_alpha_or_by_the_time_that_has_passed) {
  NumericStep by_samples(R"(smooth = { field = "value", as = "s", method = "ewma", alpha = 0.25 })");
  STRCMP_EQUAL("8 6 5.5", smoothed(by_samples, {8, 0, 4}).c_str());
  NumericStep by_time(by_half_life);
  by_time.send(0, 0);
  by_time.send(10'000, 1);
  DOUBLES_EQUAL(0.5, by_time.number("s"), 1e-15);
  by_time.send(30'000, 1);
  DOUBLES_EQUAL(0.875, by_time.number("s"), 1e-15);
  by_time.send(30'000, 9);
  DOUBLES_EQUAL(0.875, by_time.number("s"), 1e-15);
  NumericStep constant(R"(smooth = { field = "value", as = "s", method = "ewma", time_constant = "10s" })");
  constant.send(0, 0);
  constant.send(10'000, 1);
  DOUBLES_EQUAL(0.63212055882855768, constant.number("s"), 1e-15);
}

TEST(Smooth, the_gained_share_has_its_digits_at_every_size) {
  for (double x = 1e-12; x < 1e3; x *= 1.37) DOUBLES_EQUAL(1, gained_share(x) / -std::expm1(-x), 1e-15);
  DOUBLES_EQUAL(0, gained_share(0), 0);
  DOUBLES_EQUAL(1, gained_share(HUGE_VAL), 0);
}

TEST(Smooth, kalman_weighs_by_variances_that_grow_with_time) {
  NumericStep step(kalman);
  step.send(0, 10);
  DOUBLES_EQUAL(10, step.number("s"), 0);
  // p = 2 + 0.5 * 4 s = 4, gain = 4 / 6.
  step.send(4000, 16);
  DOUBLES_EQUAL(14, step.number("s"), 1e-14);
  // p = 4/3 + 0.5 * 4/3 s = 2, gain = 1/2.
  step.send(5333, 10);
  DOUBLES_EQUAL(12, step.number("s"), 1e-3);

  NumericStep per_record(
      R"(smooth = { field = "value", as = "s", method = "kalman", process_noise = 2, process_unit = "0s", measurement_noise = 2 })");
  per_record.send(0, 0);
  per_record.send(0, 6);
  DOUBLES_EQUAL(4, per_record.number("s"), 1e-15);
}

TEST(Smooth, kalman_without_process_noise_is_the_mean_of_all) {
  NumericStep step(R"(smooth = { field = "value", as = "s", method = "kalman", process_noise = 0, measurement_noise = 3 })");
  step.sink.keep = false;
  Random random(3);
  double sum = 0;
  for (int index = 1; index <= 100'000; ++index) {
    const double value = random_reading(random);
    sum += value;
    step.send(index, value);
    if (index % 1000 == 0) DOUBLES_EQUAL(sum / index, step.number("s"), 1e-8);
  }
}

TEST(Smooth, what_leaves_the_range_of_a_double_is_null_and_begins_anew) {
  for (const char* method : {R"("moving-average", samples = 9)", R"("ewma", alpha = 1)",
                             R"("kalman", process_noise = 1, measurement_noise = 1e308)"}) {
    NumericStep step(std::string(R"(smooth = { field = "value", as = "s", method = )") + method + " }");
    step.send(0, -1.7e308);
    step.send(1, -1.7e308);
    step.send(1, 1.7e308);
    step.send(2, 1.7e308);
    step.send(3, 3);
    CHECK(step.cut());
    step.send(4, 3);
    CHECK(!step.result("s").is_null());
  }
  NumericStep middle(R"(smooth = { field = "value", as = "s", method = "median", samples = 3 })");
  middle.send(0, 1.5e308);
  middle.send(1, 1.7e308);
  DOUBLES_EQUAL(1.6e308, middle.number("s"), 1e293);
}

TEST(Smooth, averages_and_medians_are_those_of_the_definition_on_recorded_and_random_series) {
  std::vector<std::vector<double>> all = recorded_series();
  Random random(5);
  printf("seed 5\n");
  all.emplace_back(5000);
  for (double& value : all.back()) value = random_reading(random);
  for (const std::vector<double>& series : all) {
    NumericStep average(R"(smooth = { field = "value", as = "s", method = "moving-average", samples = 15 })");
    NumericStep median(R"(smooth = { field = "value", as = "s", method = "median", samples = 15 })");
    for (size_t index = 0; index < series.size(); ++index) {
      average.send(static_cast<int64_t>(index), series[index]);
      median.send(static_cast<int64_t>(index), series[index]);
      const size_t begin = index < 14 ? 0 : index - 14;
      std::vector<double> last(series.begin() + static_cast<long>(begin), series.begin() + static_cast<long>(index) + 1);
      double sum = 0;
      double magnitude = 1;
      for (const double value : last) sum += value, magnitude += std::fabs(value);
      DOUBLES_EQUAL(sum / static_cast<double>(last.size()), average.number("s"), magnitude * 1e-15);
      std::ranges::sort(last);
      const double middle = (last[last.size() / 2] + last[(last.size() - 1) / 2]) / 2;
      DOUBLES_EQUAL(middle, median.number("s"), 1e-12);
    }
  }
}

TEST(Smooth, nothing_of_a_million_records_stays_in_an_average) {
  NumericStep step(R"(smooth = { field = "value", as = "s", method = "moving-average", samples = 8 })");
  step.sink.keep = false;
  Random random(9);
  for (int index = 0; index < 1'000'000; ++index) step.send(index, random_reading(random) * 1e9);
  for (int index = 1; index <= 8; ++index) step.send(1'000'000, 0.125 * index);
  DOUBLES_EQUAL(0.5625, step.number("s"), 0);
}

TEST(Smooth, goes_on_where_it_was_after_every_cut) {
  for (const char* line : {average_of_3, median_of_3, by_half_life, kalman}) check_every_cut(line, 13);
}

TEST(Smooth, refuses_stored_bytes_that_it_cannot_have_written) {
  struct Damage {
    const char* line;
    uint32_t at;
    uint8_t byte;
  };
  for (const Damage& damage :
       {Damage{average_of_3, 0, 2}, Damage{average_of_3, 9, 3}, Damage{average_of_3, 11, 4}, Damage{kalman, 24, 0xc0}}) {
    NumericStep step(damage.line);
    step.send(0, 1);
    CHECK(!step.load_damaged(24, damage.at, damage.byte).ok());
  }
}

TEST(Smooth, says_what_is_wrong_with_its_options) {
  STRCMP_CONTAINS("needs \"samples\"", errors("method = \"median\"").c_str());
  STRCMP_CONTAINS("needs \"samples\"", errors("method = \"moving-average\"").c_str());
  STRCMP_CONTAINS("odd number", errors("method = \"median\", samples = 4").c_str());
  STRCMP_CONTAINS("needs one of \"alpha\"", errors("method = \"ewma\"").c_str());
  STRCMP_CONTAINS("needs one of \"alpha\"", errors("method = \"ewma\", alpha = 0.5, half_life = \"1s\"").c_str());
  STRCMP_CONTAINS("greater than 0", errors("method = \"ewma\", alpha = 0").c_str());
  STRCMP_CONTAINS("alpha", errors("method = \"ewma\", alpha = 1.01").c_str());
  STRCMP_CONTAINS("needs \"process_noise\"", errors("method = \"kalman\", process_noise = 1").c_str());
  STRCMP_CONTAINS("greater than 0", errors("method = \"kalman\", process_noise = 1, measurement_noise = 0").c_str());
  STRCMP_CONTAINS("\"alpha\" says nothing with method = \"median\"",
                  errors("method = \"median\", samples = 3, alpha = 1").c_str());
  STRCMP_CONTAINS("samples", errors("method = \"median\", samples = 1001").c_str());
  STRCMP_CONTAINS("method", errors("samples = 3").c_str());
  STRCMP_EQUAL("", errors("method = \"ewma\", alpha = 1").c_str());
}
