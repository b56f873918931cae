#include "firmware-tests/support/short_rows.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

/// Results in short: device, value and time of the record that caused it, alarm, its state, since when, repeats.
std::string alarm_step_text(const std::string& options, const std::string& keys = "max_keys = 100") {
  return "[[pipeline.step]]\nid = \"alarm\"\nkey_by = [\"device\"]\n" + keys + "\nalarm = { on = \"value > 80\"" + options +
         " }\n";
}

constexpr const char* alarm_event_times =
    "[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"1ms\" }\naggregate = { state = \"last(alarm_state)\" }\n"
    "[[pipeline.step]]\nselect = [\"state\", \"window_start\"]\n";

constexpr const char* hysteresis = ", off = \"value < 75\"";
/// A value of 0 acknowledges.
constexpr const char* latch = ", off = \"value < 75\", latch = true, reset = \"value == 0\"";

}  // namespace

TEST_GROUP(Alarm) {
  std::unique_ptr<StepRig> rig;

  void use(const std::string& text) {
    rig = std::make_unique<StepRig>(text);
    STRCMP_EQUAL("", rig->problems().c_str());
  }
  void expect(const char* rows) { STRCMP_EQUAL(rows, take_rows(*rig).c_str()); }
  void problem(const std::string& options, const char* message) {
    STRCMP_CONTAINS(message, StepRig(alarm_step_text(options)).problems().c_str());
  }
};

TEST(Alarm, goes_on_and_off_where_on_says_so) {
  use(alarm_step_text(""));
  feed_rows(*rig, "a 80 0, a 81 1, a 82 2, a 80 3, a 79 4");
  expect("a 81 1 true on 1 0, a 80 3 false off 3 0");
  LONGS_EQUAL(3, rig->counts().filtered);
  LONGS_EQUAL(2, rig->counts().applied);
}

TEST(Alarm, between_on_and_off_it_stays_what_it_is) {
  use(alarm_step_text(hysteresis));
  feed_rows(*rig, "a 78 0, a 81 1, a 75 2, a 80 3, a 74.9 4, a 80 5, a 81 6");
  expect("a 81 1 true on 1 0, a 74.9 4 false off 4 0, a 81 6 true on 6 0");
}

TEST(Alarm, null_says_nothing) {
  use(alarm_step_text(""));
  feed_rows(*rig, "a null 0, a 81 1, a null 2, a 10 3, a null 4");
  expect("a 81 1 true on 1 0, a 10 3 false off 3 0");
  use(alarm_step_text(", on_delay = \"100ms\", off_delay = \"100ms\""));
  feed_rows(*rig, "a 81 0, a null 50, a null 100, a 10 200, a null 250, a null 300");
  expect("a 81 0 true on 0 0, a 10 200 false off 200 0");
}

TEST(Alarm, keys_have_alarms_of_their_own) {
  use(alarm_step_text(hysteresis));
  feed_rows(*rig, "a 81 0, b 10 1, b 82 2, a 10 3");
  expect("a 81 0 true on 0 0, b 82 2 true on 2 0, a 10 3 false off 3 0");
}

TEST(Alarm, on_delay_needs_on_for_so_long) {
  use(alarm_step_text(", on_delay = \"100ms\""));
  feed_rows(*rig, "a 81 0, a 80 99, a 82 100, a 83 199");
  expect("");
  feed_rows(*rig, "a 84 200");
  expect("a 82 100 true on 100 0");
}

TEST(Alarm, a_record_at_the_end_of_a_delay_comes_after_it) {
  use(alarm_step_text(", on_delay = \"100ms\""));
  feed_rows(*rig, "a 81 0, a 10 100");
  expect("a 81 0 true on 0 0, a 10 100 false off 100 0");
}

TEST(Alarm, the_watermark_ends_a_delay) {
  use(alarm_step_text(", on_delay = \"100ms\", off_delay = \"50ms\""));
  feed_rows(*rig, "a 81 0, b 1 100");
  expect("");
  feed_rows(*rig, "b 1 101");
  expect("a 81 0 true on 0 0");
  feed_rows(*rig, "a 10 200, b 1 250");
  expect("");
  feed_rows(*rig, "b 1 251");
  expect("a 10 200 false off 200 0");
}

TEST(Alarm, between_off_and_its_delay_on_can_come_back) {
  use(alarm_step_text(std::string(hysteresis) + ", off_delay = \"100ms\""));
  feed_rows(*rig, "a 81 0, a 74 10, a 75 109, a 74 110, a 73 150, a 78 210");
  expect("a 81 0 true on 0 0, a 74 110 false off 110 0");
}

TEST(Alarm, a_result_of_a_delay_has_its_end_as_event_time) {
  use(alarm_step_text(", on_delay = \"100ms\", off_delay = \"50ms\"") + alarm_event_times);
  feed_rows(*rig, "a 81 0, a 10 300");
  rig->finish();
  expect("on 100, off 350");
}

TEST(Alarm, a_latched_alarm_stays_until_it_is_reset) {
  use(alarm_step_text(latch));
  feed_rows(*rig, "a 81 0, a 70 1, a 74 2, a 78 3, a 0 4, a 0 5");
  expect("a 81 0 true on 0 0, a 70 1 true latched 1 0, a 0 4 false off 4 0");
}

TEST(Alarm, a_latched_alarm_goes_on_again_at_once) {
  use(alarm_step_text(std::string(latch) + ", on_delay = \"10ms\""));
  feed_rows(*rig, "a 81 0, a 70 10, a 90 11, a 91 12");
  expect("a 81 0 true on 0 0, a 70 10 true latched 10 0, a 90 11 true on 11 0");
}

TEST(Alarm, a_record_that_is_off_and_reset_ends_it) {
  use(alarm_step_text(latch));
  feed_rows(*rig, "a 81 0, a 0 1");
  expect("a 81 0 true on 0 0, a 0 1 false off 1 0");
}

TEST(Alarm, reset_says_nothing_before_off_has_come) {
  use(alarm_step_text(", off = \"value < 75\", latch = true, reset = \"value == 90 or value == 0\", off_delay = \"10ms\""));
  feed_rows(*rig, "a 81 0, a 90 1, a 0 2, a 0 5, a 76 11");
  expect("a 81 0 true on 0 0");  // 76 is not off any more
  feed_rows(*rig, "a 70 20, a 71 30, a 90 31");
  expect("a 70 20 true latched 20 0, a 90 31 true on 31 0");  // on comes before reset
  feed_rows(*rig, "a 70 40, a 70 50");
  expect("a 70 40 true latched 40 0");
  feed_rows(*rig, "a 0 51");
  expect("a 0 51 false off 51 0");
}

TEST(Alarm, is_repeated_while_it_is_on) {
  use(alarm_step_text(std::string(hysteresis) + ", repeat = \"100ms\""));
  feed_rows(*rig, "a 81 0, a 82 99");
  expect("a 81 0 true on 0 0");
  feed_rows(*rig, "a 83 100");
  expect("a 82 99 true on 0 1");
  feed_rows(*rig, "a 84 101, b 1 201");
  expect("a 84 101 true on 0 2");
  feed_rows(*rig, "a 10 250, a 11 500");
  expect("a 10 250 false off 250 0");
  rig->finish();
  expect("");
}

TEST(Alarm, several_repeats_at_one_look_are_one) {
  use(alarm_step_text(std::string(hysteresis) + ", repeat = \"100ms\""));
  feed_rows(*rig, "a 81 0, a 82 399, b 1 1000, b 1 1001");
  expect("a 81 0 true on 0 0, a 81 0 true on 0 3, a 82 399 true on 0 9, a 82 399 true on 0 10");
  rig->finish();
  expect("");  // the end of input repeats nothing
}

TEST(Alarm, repeats_stand_at_multiples_since_the_alarm_went_on) {
  use(alarm_step_text(std::string(latch) + ", on_delay = \"30ms\", repeat = \"100ms\"") + alarm_event_times);
  feed_rows(*rig, "a 81 0, a 70 150, a 71 250, a 0 300");
  rig->finish();
  expect("on 30, on 130, latched 150, latched 230, off 300");
}

TEST(Alarm, a_repeat_before_the_end_of_off_delay_comes_before_it) {
  use(alarm_step_text(std::string(latch) + ", off_delay = \"50ms\", repeat = \"100ms\"") + alarm_event_times);
  feed_rows(*rig, "a 81 0, a 70 90, a 71 250, a 0 260");
  rig->finish();
  expect("on 0, on 100, latched 140, latched 200, off 260");
}

TEST(Alarm, older_records_are_late_and_so_are_those_behind_a_decision) {
  use(alarm_step_text(", on_delay = \"100ms\""));
  feed_rows(*rig, "a 81 50, a 10 49, b 1 1000");
  expect("a 81 50 true on 50 0");
  feed_rows(*rig, "a 10 149");
  LONGS_EQUAL(2, rig->counts().late);
  feed_rows(*rig, "a 10 150");
  expect("a 10 150 false off 150 0");
}

TEST(Alarm, changes_at_one_time_are_told_in_their_order) {
  use(alarm_step_text(""));
  feed_rows(*rig, "a 81 5, a 10 5, a 81 5");
  expect("a 81 5 true on 5 0, a 10 5 false off 5 0, a 81 5 true on 5 0");
}

TEST(Alarm, an_evicted_key_is_normal_again) {
  use(alarm_step_text("", "max_keys = 1\nevict = \"oldest\""));
  feed_rows(*rig, "a 81 0, b 1 1, a 82 2");
  expect("a 81 0 true on 0 0, a 82 2 true on 2 0");
}

TEST(Alarm, a_restart_goes_on_in_every_state) {
  const std::string text =
      alarm_step_text(std::string(latch) + ", on_delay = \"100ms\", off_delay = \"50ms\", repeat = \"1s\"");
  use(text);
  std::string rows;
  for (const char* record : {"a 81 0", "a 82 120", "a 70 200", "a 71 260", "a 0 270", "a 90 1300"}) {
    SavedRig saved;
    feed_rows(*rig, record);
    const std::string out = take_rows(*rig);
    rows += out.empty() ? "" : out + "; ";
    rig->save(saved);
    use(text);
    CHECK(rig->restore(saved).ok());
  }
  STRCMP_EQUAL("a 81 0 true on 0 0; a 70 200 true latched 200 0; a 0 270 false off 270 0; ", rows.c_str());
  rig->finish();
  expect("a 90 1300 true on 1300 0");
}

TEST(Alarm, a_latch_needs_a_reset_and_the_other_way_round) {
  problem(", latch = true", "a latched alarm needs \"reset\"");
  problem(", reset = \"value == 0\"", "only a latched alarm is reset");
}

TEST(Alarm, conditions_must_compile_and_fields_be_free) {
  problem(", off = \"value + 1\"", "bool");
  problem(", off = \"valeu > 1\"", "unknown field \"valeu\"");
  StepRig taken("[[pipeline.step]]\nmap = { alarm = \"true\" }\n" + alarm_step_text(""));
  STRCMP_CONTAINS("two fields would be called \"alarm\"", taken.problems().c_str());
}
