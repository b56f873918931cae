// resample: grid points from records and watermark by both methods, gaps, bounds, back pressure, cuts; against a naive grid.
#include <cmath>

#include "firmware-tests/unit/numeric_step_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr const char* by_last = R"(resample = { every = "1s", fields = ["value"], max_gap = "3s" })";
constexpr const char* by_line = R"(resample = { every = "1s", fields = ["value"], max_gap = "3s", method = "linear" })";

struct GridSample {
  int64_t time_ms;
  double value;
};

/// The grid point's line by the definition, from all samples; empty if there is none.
std::string naive_point(const std::vector<GridSample>& samples, int64_t point, bool linear) {
  const GridSample* before = nullptr;
  const GridSample* after = nullptr;
  for (const GridSample& each : samples) {
    if (each.time_ms <= point) before = &each;
    if (each.time_ms >= point && after == nullptr) after = &each;
  }
  if (before == nullptr) return "";
  double value = before->value;
  if (!linear) {
    if (point - before->time_ms > 3000) return "";
  } else if (before->time_ms < point) {
    if (after == nullptr || after->time_ms - before->time_ms > 3000) return "";
    value += (after->value - before->value) *
             (static_cast<double>(point - before->time_ms) / static_cast<double>(after->time_ms - before->time_ms));
  }
  return "a " + std::to_string(point) + " " + text_of(Value::of_float(value)) + "\n";
}

int64_t grid_point_after(int64_t time_ms) {
  int64_t point = time_ms / 1000 * 1000;
  while (point < time_ms) point += 1000;
  return point;
}

}  // namespace

TEST_GROUP(Resample){
    std::string grid_of(const std::vector<GridSample>& samples, bool linear, int64_t watermark_ms){std::string text;
for (int64_t point = grid_point_after(samples.front().time_ms); point <= watermark_ms; point += 1000)
  text += naive_point(samples, point, linear);
return text;
}
}
;

TEST(Resample, makes_a_record_per_grid_point_when_the_watermark_has_reached_it) {
  NumericStep step(by_last);
  CHECK(step.send(400, 1) == Outcome::Applied);
  step.advance(999);
  STRCMP_EQUAL("", step.taken().c_str());
  step.send(1000, 2);
  step.send(1001, 9);
  step.advance(1000);
  LONGS_EQUAL(1000, step.sink.rows[0].event_time_ms);
  CHECK(step.sink.rows[0].derived);
  STRCMP_EQUAL("a 1000 2\n", step.taken().c_str());
  step.advance(3500);
  STRCMP_EQUAL("a 2000 9\na 3000 9\n", step.taken().c_str());
}

TEST(Resample, makes_nothing_further_than_max_gap_after_the_last_sample) {
  NumericStep step(by_last);
  step.send(1000, 1);
  step.advance(INT64_MAX - 1);
  STRCMP_EQUAL("a 1000 1\na 2000 1\na 3000 1\na 4000 1\n", step.taken().c_str());
  NumericStep later(by_last);
  later.send(999, 1);
  later.advance(100'000);
  STRCMP_EQUAL("a 1000 1\na 2000 1\na 3000 1\n", later.taken().c_str());
  later.send(200'500, 2);
  later.advance(201'000);
  STRCMP_EQUAL("a 201000 2\n", later.taken().c_str());
}

TEST(Resample, a_line_needs_the_next_sample_and_waits_for_it) {
  NumericStep step(by_line);
  step.send(500, 0);
  step.advance(1500);
  STRCMP_EQUAL("", step.taken().c_str());
  step.send(3500, 30);
  // Its grid point has passed: it is made at the look at the watermark that follows each record, before a restart or after it.
  CHECK(step.cut());
  step.advance(1500);
  STRCMP_EQUAL("a 1000 5\n", step.taken().c_str());
  step.advance(1501);
  STRCMP_EQUAL("", step.taken().c_str());
  step.advance(10'000);
  STRCMP_EQUAL("a 2000 15\na 3000 25\n", step.taken().c_str());
}

TEST(Resample, there_is_no_line_across_a_gap_that_is_longer_than_max_gap) {
  NumericStep step(by_line);
  step.send(1000, 0);
  step.send(4001, 30);
  step.send(5001, 40);
  step.advance(6000);
  STRCMP_EQUAL("a 1000 0\na 5000 39.99\n", step.taken().c_str());
}

TEST(Resample, a_sample_on_the_grid_needs_no_other) {
  NumericStep step(by_line);
  step.send_int(0, 1);
  CHECK(step.send_null(100) == Outcome::Filtered);
  step.send(2000, 7);
  step.advance(2000);
  STRCMP_EQUAL("a 2000 7\n", step.taken().c_str());
}

TEST(Resample, of_equal_times_the_last_counts) {
  NumericStep step(by_last);
  step.send(1000, 1);
  step.send(1000, 2);
  step.advance(1000);
  STRCMP_EQUAL("a 1000 2\n", step.taken().c_str());
}

TEST(Resample, a_record_with_a_null_is_no_sample_and_late_ones_are_left_out) {
  NumericStep step(by_last);
  CHECK(step.send_null(-5000) == Outcome::Filtered);
  step.send(-4000, 1);
  CHECK(step.send(-4001, 2) == Outcome::Late);
  step.advance(-4000);
  STRCMP_EQUAL("a -4000 1\n", step.taken().c_str());
}

TEST(Resample, no_grid_point_is_made_twice) {
  NumericStep step(by_last);
  step.send(100, 1);
  step.advance(9000);
  STRCMP_EQUAL("a 1000 1\na 2000 1\na 3000 1\n", step.taken().c_str());
  // In the order of its key, but behind what was made.
  CHECK(step.send(200, 2) == Outcome::Applied);
  step.advance(9000);
  STRCMP_EQUAL("", step.taken().c_str());
  step.send(8500, 3);
  step.advance(9001);
  STRCMP_EQUAL("a 9000 3\n", step.taken().c_str());
}

TEST(Resample, keeps_every_type_and_moves_the_grid) {
  NumericStep step(R"(resample = { every = "10s", offset = "2s", fields = ["text", "n"], max_gap = "10s", time = "at" })");
  step.send(2000, Value::null(), Value::of_int(5), "a", Value::of_string("on"));
  step.send(2500, Value::null(), Value::of_int(6), "b", Value::of_string("off"));
  step.advance(12'000);
  STRCMP_EQUAL("a 2000 on 5\na 12000 on 5\nb 12000 off 6\n", step.taken().c_str());
  STRCMP_EQUAL("at", step.step().schema()[1].name.c_str());
  LONGS_EQUAL(static_cast<int>(Type::Int), static_cast<int>(step.step().schema()[3].type));
}

TEST(Resample, goes_on_after_back_pressure_where_it_stopped) {
  NumericStep step(by_last);
  step.send(500, 1);
  step.send(500, 2, "b");
  step.sink.room = 2;
  CHECK(!step.advance(3000));
  STRCMP_EQUAL("a 1000 1\nb 1000 2\n", step.taken().c_str());
  CHECK(step.cut());
  step.sink.room = SIZE_MAX;
  CHECK(step.advance(3000));
  STRCMP_EQUAL("a 2000 1\nb 2000 2\na 3000 1\nb 3000 2\n", step.taken().c_str());
}

TEST(Resample, the_newest_sample_gives_way_when_max_held_are) {
  NumericStep step(R"(resample = { every = "1s", fields = ["value"], max_gap = "9s", max_held = 3 })");
  for (int64_t second = 1; second <= 5; ++second) step.send(second * 1000, static_cast<double>(second));
  step.advance(5000);
  STRCMP_EQUAL("a 1000 1\na 2000 2\na 3000 2\na 4000 2\na 5000 5\n", step.taken().c_str());
  NumericStep line(R"(resample = { every = "1s", fields = ["value"], max_gap = "9s", max_held = 2, method = "linear" })");
  for (int64_t second = 1; second <= 5; ++second) line.send(second * 1000, static_cast<double>(second * second));
  line.advance(5000);
  STRCMP_EQUAL("a 1000 1\na 2000 7\na 3000 13\na 4000 19\na 5000 25\n", line.taken().c_str());
}

TEST(Resample, only_samples_that_a_grid_point_can_ask_for_take_room) {
  NumericStep step(R"(resample = { every = "1s", fields = ["value"], max_gap = "9s", max_held = 4, method = "linear" })");
  for (int64_t time_ms = 100; time_ms <= 1900; time_ms += 100) step.send(time_ms, static_cast<double>(time_ms * time_ms));
  step.advance(1900);
  STRCMP_EQUAL("a 1000 1e+06\n", step.taken().c_str());
}

TEST(Resample, times_at_the_ends_of_the_range_do_no_harm) {
  NumericStep step(by_last);
  CHECK(step.send(INT64_MIN + 1, 1) == Outcome::Applied);
  CHECK(step.send(INT64_MAX, 2) == Outcome::Filtered);
  CHECK(step.advance(INT64_MAX - 1));
  LONGS_EQUAL(3, step.sink.rows.size());
}

TEST(Resample, agrees_with_the_definition_when_cut_and_when_not) {
  for (const bool linear : {false, true}) {
    for (uint64_t seed = 1; seed <= 15; ++seed) {
      Random random(seed);
      const std::string line = std::string(linear ? by_line : by_last);
      NumericStep whole(line);
      NumericStep cut(line);
      std::vector<GridSample> samples;
      int64_t time_ms = -7000;
      for (int index = 0; index < 60; ++index) {
        // More than half of the times lie within a ms of a grid point.
        time_ms += random.chance(10) ? random.between(2990, 3010) : random.between(0, 1200);
        if (random.chance(60))
          time_ms =
              std::max(samples.empty() ? INT64_MIN : samples.back().time_ms, grid_point_after(time_ms) + random.between(-1, 1));
        samples.push_back({time_ms, random_reading(random)});
        for (NumericStep* step : {&whole, &cut}) {
          step->send(time_ms, samples.back().value);
          step->advance(time_ms - 2001);
        }
        if (random.chance(30)) CHECK(cut.cut());
      }
      whole.advance(time_ms + 10'000);
      cut.advance(time_ms + 10'000);
      const std::string expected = grid_of(samples, linear, time_ms + 10'000);
      STRCMP_EQUAL_TEXT(expected.c_str(), whole.taken().c_str(), std::to_string(seed).c_str());
      STRCMP_EQUAL_TEXT(expected.c_str(), cut.taken().c_str(), std::to_string(seed).c_str());
    }
  }
}

TEST(Resample, agrees_with_the_definition_on_recorded_series) {
  Random random(53);
  printf("seed 53\n");
  for (const std::vector<double>& series : recorded_series()) {
    NumericStep step(by_line);
    std::vector<GridSample> samples;
    int64_t time_ms = 1'700'000'000'123;
    for (size_t index = 0; index < std::min<size_t>(series.size(), 1000); ++index) {
      time_ms += random.between(10, 3200);
      samples.push_back({time_ms, series[index]});
      step.send(time_ms, series[index]);
      step.advance(time_ms - 1);
    }
    step.advance(time_ms + 10'000);
    const std::string expected = grid_of(samples, true, time_ms + 10'000);
    CHECK_EQUAL(series.empty(), false);
    STRCMP_EQUAL(expected.c_str(), step.taken().c_str());
  }
}

TEST(Resample, refuses_stored_bytes_that_it_cannot_have_written) {
  struct Damage {
    uint32_t at;
    uint8_t byte;
  };
  // A grid point off the grid; more samples than fit; a value without a type; times that go back.
  for (const Damage& damage : {Damage{0, 1}, Damage{8, 17}, Damage{18, 2}, Damage{17, 1}}) {
    NumericStep step(by_last);
    step.send(1000, 1);
    step.send(2000, 1);
    CHECK(!step.load_damaged(32, damage.at, damage.byte).ok());
  }
}

TEST(Resample, says_what_is_wrong_with_its_options) {
  auto errors = [](const char* line) { return NumericStep(line).errors(); };
  STRCMP_CONTAINS("max_gap", errors(R"(resample = { every = "1s", fields = ["value"] })").c_str());
  STRCMP_CONTAINS("every", errors(R"(resample = { fields = ["value"], max_gap = "1s" })").c_str());
  STRCMP_CONTAINS("less than \"every\"",
                  errors(R"(resample = { every = "1s", offset = "1s", fields = ["value"], max_gap = "1s" })").c_str());
  STRCMP_CONTAINS("text: \"text\" is string",
                  errors(R"(resample = { every = "1s", fields = ["text"], max_gap = "1s", method = "linear" })").c_str());
  STRCMP_CONTAINS("two fields would be called \"device\"",
                  errors(R"(resample = { every = "1s", fields = ["device"], max_gap = "1s" })").c_str());
  STRCMP_CONTAINS("two fields would be called \"value\"",
                  errors(R"(resample = { every = "1s", fields = ["value"], max_gap = "1s", time = "value" })").c_str());
  STRCMP_CONTAINS("max_held",
                  errors(R"(resample = { every = "1s", fields = ["value"], max_gap = "1s", max_held = 1 })").c_str());
}
