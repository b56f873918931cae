#include "firmware-tests/support/random.h"
#include "firmware-tests/support/short_rows.h"

#include <cstdlib>
#include <ctime>

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr const char* debounce_source =
    "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"sensors/+\"]\nformat = \"json\"\n"
    "fields = { device = \"string(16)\", value = \"float\", ts = \"time(ms)\" }\n"
    "event_time = { field = \"ts\", max_delay = \"1s\" }\n";

std::string debounce_step_text(const std::string& keys = "max_keys = 100") {
  return "[[pipeline.step]]\nid = \"d\"\nkey_by = [\"device\"]\n" + keys +
         "\ndebounce = { field = \"value\", time = \"100ms\" }\n";
}

constexpr const char* event_times =
    "[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"1ms\" }\naggregate = { value = \"last(value)\" }\n"
    "[[pipeline.step]]\nselect = [\"value\", \"window_start\"]\n";

}  // namespace

TEST_GROUP(Debounce) {
  std::unique_ptr<StepRig> rig = std::make_unique<StepRig>(debounce_step_text());

  void use(const std::string& text) {
    rig = std::make_unique<StepRig>(text);
    STRCMP_EQUAL("", rig->problems().c_str());
  }
  void expect(const char* rows) { STRCMP_EQUAL(rows, take_rows(*rig).c_str()); }
};

TEST(Debounce, a_value_goes_on_when_it_has_stood_for_the_time) {
  feed_rows(*rig, "a 1 0, a 1 99");
  expect("");
  feed_rows(*rig, "a 1 100");
  expect("a 1 0");
}

TEST(Debounce, the_watermark_decides_when_no_record_comes) {
  feed_rows(*rig, "a 1 0, b 2 100");
  expect("");
  feed_rows(*rig, "b 2 101");
  expect("a 1 0");
}

TEST(Debounce, the_end_of_input_lets_everything_go_on) {
  feed_rows(*rig, "a 1 0, b 2 50");
  rig->finish();
  expect("a 1 0, b 2 50");
}

TEST(Debounce, another_value_at_the_last_millisecond_takes_its_place) {
  feed_rows(*rig, "a 1 0, a 2 99, a 2 198");
  expect("");
  feed_rows(*rig, "a 3 199");
  expect("a 2 99");
}

TEST(Debounce, another_value_exactly_at_the_time_comes_too_late_to_stop_it) {
  feed_rows(*rig, "a 1 0, a 2 100");
  expect("a 1 0");
}

TEST(Debounce, a_value_that_returns_is_no_change) {
  feed_rows(*rig, "a 1 0, a 1 100, a 2 200, a 1 250, a 1 1000");
  rig->finish();
  expect("a 1 0");
}

TEST(Debounce, a_bounce_begins_the_time_anew) {
  feed_rows(*rig, "a 1 0, a 1 100, a 2 200, a 1 210, a 2 220, a 2 300, a 2 319");
  expect("a 1 0");
  feed_rows(*rig, "a 2 320");
  expect("a 2 220");
}

TEST(Debounce, null_neither_stops_nor_begins_anything) {
  feed_rows(*rig, "a null 0, a 1 10, a null 50, a null 110");
  expect("a 1 10");
  LONGS_EQUAL(3, rig->counts().filtered);
}

TEST(Debounce, the_result_has_the_event_time_at_which_the_value_had_stood) {
  use(debounce_step_text() + event_times);
  feed_rows(*rig, "a 1 0, a 2 500");
  rig->finish();
  expect("1 100, 2 600");
}

TEST(Debounce, a_record_older_than_the_keys_newest_is_late) {
  use(debounce_source + debounce_step_text());
  feed_rows(*rig, "a 1 50, a 2 49, a 1 150");
  expect("a 1 50");
  LONGS_EQUAL(1, rig->counts().late);
}

TEST(Debounce, a_record_older_than_what_the_watermark_decided_is_late) {
  feed_rows(*rig, "a 1 0, b 7 1000");
  expect("a 1 0");
  feed_rows(*rig, "a 2 99");
  LONGS_EQUAL(1, rig->counts().late);
  feed_rows(*rig, "a 2 100");
  rig->finish();
  expect("a 2 100, b 7 1000");
}

TEST(Debounce, times_before_1970_are_times_as_well) {
  feed_rows(*rig, "a 1 -1000, a 2 -900, a 2 -800");
  expect("a 1 -1000, a 2 -900");
}

TEST(Debounce, what_is_held_back_is_lost_with_its_key) {
  use(debounce_step_text("max_keys = 1\nevict = \"emit\""));
  feed_rows(*rig, "a 1 0, b 2 10");
  rig->finish();
  expect("b 2 10");
  LONGS_EQUAL(1, rig->graph().evicted());
}

TEST(Debounce, a_restart_keeps_what_is_held_back) {
  SavedRig saved;
  feed_rows(*rig, "a 1 0, a 1 100, a 2 150");
  expect("a 1 0");
  rig->save(saved);
  use(debounce_step_text());
  CHECK(rig->restore(saved).ok());
  feed_rows(*rig, "a 2 249");
  expect("");
  feed_rows(*rig, "b 0 251");
  expect("a 2 150");
}

TEST(Debounce, the_field_must_be_there_and_the_time_be_some) {
  StepRig bad("[[pipeline.step]]\nid = \"d\"\ndebounce = { field = \"valeu\", time = \"10ms\" }\n");
  STRCMP_CONTAINS("c.toml:13:23: error: there is no field \"valeu\"", bad.problems().c_str());
  StepRig zero("[[pipeline.step]]\nid = \"d\"\ndebounce = { field = \"value\", time = \"0s\" }\n");
  STRCMP_CONTAINS("\"time\" must be 1ms or more", zero.problems().c_str());
}

/// The rule again, over the list of all records of a key in order: a run of equal values that lasts for the time goes on,
/// unless it equals the last one that did.
TEST(Debounce, does_what_the_rule_says_for_random_records) {
  const char* text = getenv("WEIR_SEED");
  const uint64_t seed = text != nullptr ? strtoull(text, nullptr, 10) : static_cast<uint64_t>(time(nullptr));
  printf("WEIR_SEED=%llu ", static_cast<unsigned long long>(seed));
  Random random(seed);
  int64_t now = 0, run_begin = 0;
  uint64_t run = 99, stable = 99;
  std::string expected;
  auto end_run = [&](int64_t end) {
    if (run != 99 && run != stable && end - run_begin >= 100) {
      stable = run;
      expected += (expected.empty() ? "a " : ", a ") + std::to_string(run) + " " + std::to_string(run_begin);
    }
  };
  for (int count = 0; count < 2000; ++count) {
    now += random.chance(60) ? random.between(99, 101) : random.between(0, 40);
    const uint64_t value = random.below(3);
    if (value != run) {
      end_run(now);
      run = value;
      run_begin = now;
    }
    feed_rows(*rig, "a " + std::to_string(value) + " " + std::to_string(now));
  }
  end_run(INT64_MAX);
  rig->finish();
  expect(expected.c_str());
}
