#include "firmware-tests/support/short_rows.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

/// Results in short: device, last seen, silent, for how long. Processing time is the greatest event time so far.
std::string absence_step_text(const std::string& options, const std::string& keys = "max_keys = 100") {
  return "[[pipeline.step]]\nid = \"silent\"\nkey_by = [\"device\"]\n" + keys + "\nabsence = { after = \"100ms\"" + options +
         " }\n";
}

}  // namespace

TEST_GROUP(Absence) {
  std::unique_ptr<StepRig> rig = std::make_unique<StepRig>(absence_step_text(""));

  void use(const std::string& text) {
    rig = std::make_unique<StepRig>(text);
    STRCMP_EQUAL("", rig->problems().c_str());
  }
  void expect(const char* rows) { STRCMP_EQUAL(rows, take_rows(*rig).c_str()); }
  /// Processing time passes without any record.
  void wait_until(int64_t processing_ms) { CHECK(rig->graph().tick(processing_ms)); }
};

TEST(Absence, fires_without_any_input) {
  feed_rows(*rig, "a 1 0");
  wait_until(99);
  expect("");
  wait_until(100);
  expect("a 0 true 100");
  wait_until(1000);
  expect("");
}

TEST(Absence, a_record_begins_the_time_anew) {
  feed_rows(*rig, "a 1 0");
  wait_until(60);
  feed_rows(*rig, "a 1 60");
  wait_until(159);
  expect("");
  wait_until(160);
  expect("a 60 true 100");
}

TEST(Absence, a_late_tick_tells_when_the_silence_began) {
  feed_rows(*rig, "a 1 0, b 1 50");
  wait_until(1000);
  expect("a 0 true 100, b 50 true 100");
}

TEST(Absence, a_key_that_is_heard_again_is_told) {
  feed_rows(*rig, "a 1 0");
  wait_until(100);
  feed_rows(*rig, "a 2 130, a 3 140");
  expect("a 0 true 100, a 0 false 130");
  wait_until(240);
  expect("a 140 true 100");
}

TEST(Absence, unless_that_is_not_wanted) {
  use(absence_step_text(", returns = false"));
  feed_rows(*rig, "a 1 0");
  wait_until(100);
  feed_rows(*rig, "a 2 130");
  wait_until(230);
  expect("a 0 true 100, a 130 true 100");
}

TEST(Absence, a_silent_key_is_told_again_at_multiples) {
  use(absence_step_text(", repeat = \"50ms\""));
  feed_rows(*rig, "a 1 0");
  wait_until(149);
  expect("a 0 true 100");
  wait_until(150);
  expect("a 0 true 150");
  wait_until(320);
  expect("a 0 true 300");
  wait_until(349);
  expect("");
  feed_rows(*rig, "a 1 350");
  expect("a 0 true 350, a 0 false 350");
}

TEST(Absence, arrival_counts_and_not_the_event_time) {
  feed_rows(*rig, "a 1 0, a 1 90, a 1 10");  // the last arrives at 90
  wait_until(189);
  expect("");
  wait_until(190);
  expect("a 90 true 100");
  LONGS_EQUAL(0, rig->counts().late);
  LONGS_EQUAL(3, rig->counts().applied);
}

TEST(Absence, the_end_of_input_is_no_processing_time) {
  feed_rows(*rig, "a 1 0");
  rig->finish();
  expect("");
}

TEST(Absence, a_restart_goes_on_with_the_time) {
  SavedRig saved;
  feed_rows(*rig, "a 1 0, b 1 50");
  rig->save(saved);
  use(absence_step_text(""));
  CHECK(rig->restore(saved).ok());
  expect("");
  wait_until(100);
  expect("a 0 true 100");
  wait_until(1000);
  expect("b 50 true 100");
}

TEST(Absence, by_event_time_the_watermark_decides) {
  use(absence_step_text(", time = \"event\""));
  feed_rows(*rig, "a 1 0, b 1 100");
  expect("");
  feed_rows(*rig, "b 1 101");
  expect("a 0 true 100");
  wait_until(10000);
  expect("");
}

TEST(Absence, by_event_time_a_keys_own_record_shows_the_gap) {
  use(absence_step_text(", time = \"event\""));
  feed_rows(*rig, "a 1 0, a 1 99, a 1 199, a 1 200");
  expect("a 99 true 100, a 99 false 100");
}

TEST(Absence, by_event_time_the_end_of_input_silences_all_once) {
  use(absence_step_text(", time = \"event\", repeat = \"10ms\""));
  feed_rows(*rig, "a 1 0, b 1 50");
  rig->finish();
  expect("a 0 true 100, b 50 true 100");
}

TEST(Absence, by_event_time_older_records_are_late) {
  use(absence_step_text(", time = \"event\""));
  feed_rows(*rig, "a 1 50, a 1 49, b 1 1000, a 1 149");
  expect("a 50 true 100");
  LONGS_EQUAL(2, rig->counts().late);
  feed_rows(*rig, "a 1 950");
  expect("a 50 false 900");
}

TEST(Absence, by_event_time_repeats_come_with_the_watermark) {
  use(absence_step_text(", time = \"event\", repeat = \"50ms\""));
  feed_rows(*rig, "a 1 0, b 1 101, b 1 151, b 1 200, b 1 251, b 1 299");
  expect("a 0 true 100, a 0 true 150, a 0 true 250");
}

TEST(Absence, an_evicted_key_is_not_watched_any_more) {
  use(absence_step_text("", "max_keys = 1\nevict = \"oldest\""));
  feed_rows(*rig, "a 1 0, b 1 50");
  wait_until(1000);
  expect("b 50 true 100");
}

TEST(Absence, names_of_its_fields_must_be_free) {
  StepRig taken(
      "[[pipeline.step]]\nmap = { silent = \"true\" }\n[[pipeline.step]]\nid = \"s\"\nkey_by = [\"silent\"]\n"
      "absence = { after = \"1s\" }\n");
  STRCMP_CONTAINS("two fields would be called \"silent\"", taken.problems().c_str());
  StepRig zero("[[pipeline.step]]\nid = \"s\"\nabsence = { after = \"0s\" }\n");
  STRCMP_CONTAINS("\"after\" must be 1ms or more", zero.problems().c_str());
}
