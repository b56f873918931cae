#include "firmware-tests/support/short_rows.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

std::string hold_step_text(const std::string& keys = "max_keys = 100") {
  return "[[pipeline.step]]\nid = \"h\"\nkey_by = [\"device\"]\n" + keys +
         "\nhold = { condition = \"value > 80\", for = \"100ms\" }\n";
}

}  // namespace

TEST_GROUP(Hold) {
  std::unique_ptr<StepRig> rig = std::make_unique<StepRig>(hold_step_text());

  void use(const std::string& text) {
    rig = std::make_unique<StepRig>(text);
    STRCMP_EQUAL("", rig->problems().c_str());
  }
  void expect(const char* rows) { STRCMP_EQUAL(rows, take_rows(*rig).c_str()); }
};

TEST(Hold, tells_when_the_condition_has_held_for_the_time) {
  feed_rows(*rig, "a 81 0, a 82 99");
  expect("");
  feed_rows(*rig, "a 83 100");
  expect("a 82 99 0");
}

TEST(Hold, a_break_one_millisecond_before_begins_the_time_anew) {
  feed_rows(*rig, "a 81 0, a 80 99, a 85 100, a 86 199");
  expect("");
  feed_rows(*rig, "a 20 200");
  expect("a 86 199 100");
}

TEST(Hold, a_break_exactly_at_the_time_comes_too_late) {
  feed_rows(*rig, "a 81 0, a 20 100");
  expect("a 81 0 0");
}

TEST(Hold, the_watermark_decides_when_no_record_comes) {
  feed_rows(*rig, "a 81 0, b 1 100");
  expect("");
  feed_rows(*rig, "b 1 101");
  expect("a 81 0 0");
}

TEST(Hold, tells_once_until_the_condition_was_false) {
  feed_rows(*rig, "a 81 0, a 82 200, a 83 400");
  expect("a 81 0 0");
  feed_rows(*rig, "a 79 500, a 84 600, a 85 700");
  expect("a 84 600 600");
}

TEST(Hold, null_is_passed_over) {
  feed_rows(*rig, "a null 0, a 81 10, a null 50, a null 109");
  expect("");
  feed_rows(*rig, "a null 110");
  expect("a 81 10 10");
  feed_rows(*rig, "a null 300, a 82 310, a 83 500");
  expect("");
}

TEST(Hold, the_result_has_the_event_time_at_which_the_time_was_over) {
  use(hold_step_text() +
      "[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"1ms\" }\naggregate = { value = \"last(value)\" }\n"
      "[[pipeline.step]]\nselect = [\"value\", \"window_start\"]\n");
  feed_rows(*rig, "a 81 7, a 82 50");
  rig->finish();
  expect("82 107");
}

TEST(Hold, records_older_than_the_newest_or_than_what_was_told_are_late) {
  feed_rows(*rig, "a 81 50, a 20 49");
  LONGS_EQUAL(1, rig->counts().late);
  feed_rows(*rig, "b 1 1000");
  expect("a 81 50 50");
  feed_rows(*rig, "a 20 149");
  LONGS_EQUAL(2, rig->counts().late);
  feed_rows(*rig, "a 20 150, a 90 151, a 91 251");
  expect("a 90 151 151");
}

TEST(Hold, a_time_that_runs_is_lost_with_its_key) {
  use(hold_step_text("max_keys = 1\nevict = \"oldest\""));
  feed_rows(*rig, "a 81 0, b 82 50, a 83 120");
  rig->finish();
  expect("a 83 120 120");
}

TEST(Hold, a_restart_goes_on_with_the_time) {
  SavedRig saved;
  feed_rows(*rig, "a 81 0, a 82 60");
  rig->save(saved);
  use(hold_step_text());
  CHECK(rig->restore(saved).ok());
  feed_rows(*rig, "a 83 100, a 84 300");
  expect("a 82 60 0");
}

TEST(Hold, the_condition_must_be_one) {
  StepRig bad("[[pipeline.step]]\nid = \"h\"\nhold = { condition = \"value + 1\", for = \"1s\" }\n");
  STRCMP_CONTAINS("c.toml:13:23", bad.problems().c_str());
  STRCMP_CONTAINS("bool", bad.problems().c_str());
  StepRig taken(
      "[[pipeline.step]]\nmap = { held_since = \"ts\" }\n[[pipeline.step]]\nid = \"h\"\n"
      "hold = { condition = \"value > 1\", for = \"1s\" }\n");
  STRCMP_CONTAINS("two fields would be called \"held_since\"", taken.problems().c_str());
}
