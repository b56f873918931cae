#include "agent/operators/watermark.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(Watermark){};

TEST(Watermark, there_is_none_before_the_first_record) {
  WatermarkTracker tracker(2000, 0);
  tracker.on_activity(5);
  CHECK_FALSE(tracker.has_watermark());
  CHECK(tracker.watermark() == INT64_MIN);
}

TEST(Watermark, is_the_greatest_event_time_less_the_delay_less_one) {
  WatermarkTracker tracker(2000, 0);
  tracker.on_record(10000);
  LONGS_EQUAL(7999, tracker.watermark());
  WatermarkTracker strict(0, 0);
  strict.on_record(10000);
  LONGS_EQUAL(9999, strict.watermark());
}

TEST(Watermark, never_goes_back) {
  WatermarkTracker tracker(10, 0);
  tracker.on_record(100);
  tracker.on_record(50);
  LONGS_EQUAL(89, tracker.watermark());
}

TEST(Watermark, works_before_1970) {
  WatermarkTracker tracker(10, 0);
  tracker.on_record(-100);
  LONGS_EQUAL(-111, tracker.watermark());
}

TEST(Watermark, saturates_at_the_end_of_time) {
  WatermarkTracker tracker(10, 0);
  tracker.on_record(INT64_MIN + 11);
  CHECK(tracker.watermark() == INT64_MIN);
  tracker.on_record(INT64_MIN + 12);
  CHECK(tracker.watermark() == INT64_MIN + 1);
  WatermarkTracker first(10, 0);
  first.on_record(INT64_MIN + 1);
  CHECK(first.watermark() == INT64_MIN);
  first.on_record(INT64_MAX);
  CHECK(first.watermark() == INT64_MAX - 11);
}

TEST(Watermark, one_event_time_is_not_usable) {
  CHECK_FALSE(WatermarkTracker::usable(INT64_MIN));
  CHECK(WatermarkTracker::usable(INT64_MIN + 1));
  CHECK(WatermarkTracker::usable(INT64_MAX));
}

TEST(Watermark, is_idle_after_more_than_the_given_time_and_keeps_its_watermark) {
  WatermarkTracker tracker(0, 100);
  CHECK_FALSE(tracker.idle(100000));
  tracker.on_activity(1000);
  tracker.on_record(7);
  CHECK_FALSE(tracker.idle(1100));
  CHECK(tracker.idle(1101));
  LONGS_EQUAL(6, tracker.watermark());
  tracker.on_activity(1101);
  CHECK_FALSE(tracker.idle(1201));
}

TEST(Watermark, without_an_idle_time_it_is_never_idle) {
  WatermarkTracker tracker(0, 0);
  tracker.on_activity(0);
  CHECK_FALSE(tracker.idle(INT64_MAX));
}

TEST(Watermark, comes_back_from_a_checkpoint) {
  uint8_t memory[WatermarkTracker::saved_bytes];
  WatermarkTracker tracker(10, 0);
  for (bool with_record : {false, true}) {
    if (with_record) tracker.on_record(100);
    ByteWriter out(memory);
    tracker.save(out);
    CHECK_FALSE(out.overflowed());
    WatermarkTracker restored(10, 0);
    ByteReader in(out.bytes());
    CHECK(restored.restore(in));
    CHECK(restored.has_watermark() == with_record);
    CHECK(restored.watermark() == tracker.watermark());
  }
}

TEST(Watermark, bytes_that_are_cut_short_change_nothing) {
  uint8_t memory[WatermarkTracker::saved_bytes] = {};
  WatermarkTracker tracker(10, 0);
  ByteReader in(Bytes(memory).first(7));
  CHECK_FALSE(tracker.restore(in));
  CHECK_FALSE(tracker.has_watermark());
}
