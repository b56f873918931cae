#include "agent/runtime/clock_watch.h"

#include "agent/base/log.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

struct ToldClock final : Clock {
  Now now() override { return reading; }
  ClockSync sync() override {
    ++asked;
    return answer;
  }
  Now reading{0, 1'750'000'000'000, false};
  ClockSync answer = ClockSync::Synchronised;
  int asked = 0;
};

}  // namespace

TEST_GROUP(ClockWatch) {
  ToldClock clock;
  ClockWatch watch;

  void setup() override { set_log_level(LogLevel::Error); }
  Now look_after(int64_t ms, int64_t step_ms = 0) {
    clock.reading.boot_ms += ms;
    clock.reading.wall_ms += ms + step_ms;
    Now now = clock.now();
    watch.observe(now, clock);
    return now;
  }
};

TEST(ClockWatch, asks_the_system_once_a_second) {
  look_after(0);
  LONGS_EQUAL(1, clock.asked);
  look_after(999);
  LONGS_EQUAL(1, clock.asked);
  look_after(1);
  LONGS_EQUAL(2, clock.asked);
}

TEST(ClockWatch, says_with_each_reading_whether_the_clock_is_synchronised) {
  CHECK_FALSE(look_after(0).unsynchronised);
  clock.answer = ClockSync::Unsynchronised;
  CHECK_FALSE(look_after(999).unsynchronised);
  CHECK(look_after(1).unsynchronised);
  CHECK(watch.status().sync == ClockSync::Unsynchronised);
  clock.answer = ClockSync::Unknown;
  CHECK_FALSE(look_after(1000).unsynchronised);
  CHECK(watch.status().sync == ClockSync::Unknown);
}

TEST(ClockWatch, a_clock_that_was_never_set_is_not_synchronised_whatever_the_system_says) {
  clock.reading.wall_ms = earliest_plausible_wall_ms - 1;
  CHECK(look_after(0).unsynchronised);
  CHECK_FALSE(watch.status().plausible);
  CHECK_FALSE(look_after(1).unsynchronised);
  CHECK(watch.status().plausible);
}

TEST(ClockWatch, counts_how_often_the_clock_was_set_by_a_second_or_more) {
  look_after(0);
  look_after(1'000'000);
  look_after(10, 999);
  look_after(10, -999);
  UNSIGNED_LONGS_EQUAL(0, watch.status().steps);
  look_after(10, 3'600'000);
  UNSIGNED_LONGS_EQUAL(1, watch.status().steps);
  LONGS_EQUAL(3'600'000, watch.status().last_step_ms);
  look_after(10, -1000);
  UNSIGNED_LONGS_EQUAL(2, watch.status().steps);
  LONGS_EQUAL(-1000, watch.status().last_step_ms);
}

TEST(ClockWatch, the_first_reading_is_no_step) {
  look_after(5000);
  UNSIGNED_LONGS_EQUAL(0, watch.status().steps);
}

TEST(ClockWatch, the_systems_own_clock_answers) {
  SystemClock system;
  Now now = system.now();
  watch.observe(now, system);
  CHECK(watch.status().plausible);
  CHECK(watch.status().sync == system.sync());
}
