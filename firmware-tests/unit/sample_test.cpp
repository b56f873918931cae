#include "firmware-tests/support/short_rows.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

std::string sample_step_text(const std::string& options, const std::string& keys = "max_keys = 100") {
  return "[[pipeline.step]]\nid = \"s\"\nkey_by = [\"device\"]\n" + keys + "\nsample = { " + options + " }\n";
}

}  // namespace

TEST_GROUP(Sample) {
  std::unique_ptr<StepRig> rig = std::make_unique<StepRig>(sample_step_text("interval = \"1s\""));

  void use(const std::string& text) {
    rig = std::make_unique<StepRig>(text);
    STRCMP_EQUAL("", rig->problems().c_str());
  }
  void expect(const char* rows) { STRCMP_EQUAL(rows, take_rows(*rig).c_str()); }
  void problem(const std::string& options, const char* message) {
    STRCMP_CONTAINS(message, StepRig(sample_step_text(options)).problems().c_str());
  }
};

TEST(Sample, the_last_record_of_an_interval_goes_on) {
  feed_rows(*rig, "a 1 0, a 2 500, a 3 999");
  expect("");
  feed_rows(*rig, "a 4 1000");
  expect("a 3 999");
}

TEST(Sample, the_watermark_alone_closes_an_interval) {
  feed_rows(*rig, "a 1 0, b 2 999");
  expect("");
  feed_rows(*rig, "b 3 1000");
  expect("b 2 999, a 1 0");  // b's own record comes before the watermark
}

TEST(Sample, the_end_of_input_closes_them_all) {
  feed_rows(*rig, "a 1 0, b 2 0");
  rig->finish();
  expect("a 1 0, b 2 0");
}

TEST(Sample, the_result_belongs_to_the_intervals_last_millisecond) {
  use(sample_step_text("interval = \"1s\"") +
      "[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"1ms\" }\naggregate = { n = \"count()\" }\n");
  feed_rows(*rig, "a 1 0, a 2 1000");
  rig->finish();
  expect("1 999 1000, 1 1999 2000");
}

TEST(Sample, intervals_without_records_have_no_result) {
  feed_rows(*rig, "a 1 0, a 2 5000");
  rig->finish();
  expect("a 1 0, a 2 5000");
}

TEST(Sample, the_first_record_if_that_is_wanted) {
  use(sample_step_text("interval = \"1s\", take = \"first\""));
  feed_rows(*rig, "a 1 100, a 2 100, a 3 999, a 4 1000, a 5 1001");
  rig->finish();
  expect("a 1 100, a 4 1000");
}

TEST(Sample, intervals_begin_at_the_offset_also_before_1970) {
  use(sample_step_text("interval = \"1s\", offset = \"300ms\""));
  feed_rows(*rig, "a 1 -701, a 2 -700, a 3 299, a 4 300");
  rig->finish();
  expect("a 1 -701, a 3 299, a 4 300");
}

TEST(Sample, a_record_of_a_closed_interval_is_late) {
  feed_rows(*rig, "a 1 500, b 2 2000");
  expect("a 1 500");
  feed_rows(*rig, "a 3 999, c 4 999");
  LONGS_EQUAL(2, rig->counts().late);
  feed_rows(*rig, "c 5 2500");
  rig->finish();
  expect("b 2 2000, c 5 2500");
}

TEST(Sample, an_interval_is_closed_when_the_watermark_has_reached_its_last_millisecond) {
  feed_rows(*rig, "a 1 500, b 2 999, a 3 999, b 4 1000, a 5 999");
  LONGS_EQUAL(1, rig->counts().late);
  rig->finish();
  expect("b 2 999, a 3 999, b 4 1000");
}

TEST(Sample, a_null_is_a_value_like_others) {
  feed_rows(*rig, "a 1 0, a null 1");
  rig->finish();
  expect("a null 1");
}

TEST(Sample, a_closed_interval_gives_the_keys_room_back) {
  use(sample_step_text("interval = \"1s\"", "max_keys = 1"));
  feed_rows(*rig, "a 1 0, b 2 999, a 3 1000, b 4 2000");
  expect("refused s capacity, a 1 0, refused s capacity, a 3 1000");
  feed_rows(*rig, "b 5 2000");
  rig->finish();
  expect("b 5 2000");
}

TEST(Sample, a_late_record_of_an_unknown_key_takes_no_room) {
  use(sample_step_text("interval = \"1s\"", "max_keys = 1"));
  feed_rows(*rig, "a 1 0, a 2 2500, b 3 100");
  expect("a 1 0, refused s capacity");
}

TEST(Sample, an_evicted_key_hands_on_what_it_holds_if_that_is_wanted) {
  use(sample_step_text("interval = \"1s\"", "max_keys = 1\nevict = \"emit\""));
  feed_rows(*rig, "a 1 0, b 2 1, a 3 2");
  expect("a 1 0, b 2 1");
  use(sample_step_text("interval = \"1s\"", "max_keys = 1\nevict = \"oldest\""));
  feed_rows(*rig, "a 1 0, b 2 1, a 3 2");
  expect("");
  LONGS_EQUAL(2, rig->graph().evicted());
}

TEST(Sample, every_nth_record_in_whatever_order) {
  use(sample_step_text("every = 2"));
  feed_rows(*rig, "a 1 50, a 2 40, b 3 60, a 4 30, a 5 70");
  expect("a 2 40, a 5 70");
  LONGS_EQUAL(0, rig->counts().late);
  use(sample_step_text("every = 1"));
  feed_rows(*rig, "a 1 50, a 2 40");
  expect("a 1 50, a 2 40");
}

TEST(Sample, either_by_time_or_by_number) {
  problem("take = \"last\"", "either \"interval\" or \"every\"");
  problem("interval = \"1s\", every = 2", "either \"interval\" or \"every\"");
  problem("every = 2, take = \"last\"", "take says something about an interval");
  problem("every = 2, offset = \"1s\"", "offset says something about an interval");
  problem("every = 0", "every");
  problem("interval = \"1s\", offset = \"1s\"", "shorter than the interval");
}
