#include "firmware-tests/support/short_rows.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(Throttle) {
  StepRig rig{"[[pipeline.step]]\nid = \"calm\"\nkey_by = [\"device\"]\nthrottle = { interval = \"10s\", records = 2 }\n"};

  void expect(const char* rows) { STRCMP_EQUAL(rows, take_rows(rig).c_str()); }
};

TEST(Throttle, the_first_records_of_an_interval_go_on) {
  feed_rows(rig, "a 1 3000, a 2 4000, a 3 5000, a 4 6000");
  expect("a 1 3000, a 2 4000");
  LONGS_EQUAL(2, rig.counts().filtered);
}

TEST(Throttle, an_interval_ends_exactly_its_length_after_its_first_record) {
  feed_rows(rig, "a 1 3000, a 2 3000, a 3 12999, a 4 13000");
  expect("a 1 3000, a 2 3000, a 4 13000");
}

TEST(Throttle, the_next_interval_begins_with_its_own_first_record) {
  feed_rows(rig, "a 1 0, a 2 15000, a 3 20000, a 4 24999, a 5 25000");
  expect("a 1 0, a 2 15000, a 3 20000, a 5 25000");
}

TEST(Throttle, keys_count_for_themselves) {
  feed_rows(rig, "a 1 0, a 2 1, b 3 2, a 4 3, b 5 4");
  expect("a 1 0, a 2 1, b 3 2, b 5 4");
}

TEST(Throttle, a_record_that_is_older_than_its_keys_newest_is_late_even_if_that_one_was_filtered) {
  feed_rows(rig, "a 1 0, a 2 1, a 3 9000, a 4 8999, b 5 8999");
  expect("a 1 0, a 2 1, b 5 8999");
  LONGS_EQUAL(1, rig.counts().late);
}

TEST(Throttle, times_before_1970_are_times_as_well) {
  feed_rows(rig, "a 1 -10000, a 2 -5000, a 3 -1, a 4 0");
  expect("a 1 -10000, a 2 -5000, a 4 0");
}

TEST(Throttle, an_evicted_key_begins_anew) {
  StepRig small(
      "[[pipeline.step]]\nid = \"calm\"\nkey_by = [\"device\"]\nmax_keys = 1\nevict = \"oldest\"\n"
      "throttle = { interval = \"10s\" }\n");
  feed_rows(small, "a 1 0, b 2 1, a 3 2");
  STRCMP_EQUAL("a 1 0, b 2 1, a 3 2", take_rows(small).c_str());
  LONGS_EQUAL(2, small.graph().evicted());
}

TEST(Throttle, without_room_for_a_key_the_record_is_refused) {
  StepRig small("[[pipeline.step]]\nid = \"calm\"\nkey_by = [\"device\"]\nmax_keys = 1\nthrottle = { interval = \"10s\" }\n");
  feed_rows(small, "a 1 0, b 2 1");
  STRCMP_EQUAL("a 1 0, refused calm capacity", take_rows(small).c_str());
}

TEST(Throttle, needs_an_interval_of_at_least_a_millisecond_and_one_record) {
  StepRig none("[[pipeline.step]]\nid = \"calm\"\nthrottle = { interval = \"0s\", records = 0 }\n");
  STRCMP_CONTAINS("c.toml:13:25", none.problems().c_str());
  STRCMP_CONTAINS("interval", none.problems().c_str());
  STRCMP_CONTAINS("records", none.problems().c_str());
  StepRig missing("[[pipeline.step]]\nid = \"calm\"\nthrottle = { records = 1 }\n");
  STRCMP_CONTAINS("interval", missing.problems().c_str());
}
