#include "agent/runtime/pipeline_clock.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(PipelineClock) {
  static constexpr int64_t hour_ms = 3'600'000;
  static constexpr int64_t begin_ms = 1'750'000'000'000;
  PipelineClock clock;
  Now now{5000, begin_ms, false};

  int64_t pass(int64_t ms) {
    now.boot_ms += ms;
    now.wall_ms += ms;
    return clock.at(now);
  }
  int64_t set_wall(int64_t ms) {
    now.wall_ms = ms;
    return clock.at(now);
  }
  void tick(int count) {
    for (int second = 0; second < count; ++second) {
      now.boot_ms += 1000;
      now.wall_ms += 1000;
      clock.on_tick(now);
    }
  }
};

TEST(PipelineClock, begins_with_the_wall_clock_and_runs_with_the_boot_clock) {
  CHECK(clock.newest_ms() == INT64_MIN);
  LONGS_EQUAL(begin_ms, clock.at(now));
  LONGS_EQUAL(begin_ms + 1234, pass(1234));
  LONGS_EQUAL(begin_ms + 1234, clock.newest_ms());
}

TEST(PipelineClock, a_wall_clock_that_is_set_moves_nothing) {
  pass(0);
  set_wall(begin_ms + hour_ms);
  LONGS_EQUAL(begin_ms + 10, pass(10));
  set_wall(begin_ms - hour_ms);
  LONGS_EQUAL(begin_ms + 20, pass(10));
  tick(100);
  LONGS_EQUAL(begin_ms + 100'020, clock.at(now));
  LONGS_EQUAL(0, clock.ahead_ms());
}

TEST(PipelineClock, follows_a_clock_that_was_never_set_to_its_first_plausible_time) {
  now.wall_ms = 1000;
  now.unsynchronised = true;
  LONGS_EQUAL(1000, clock.at(now));
  LONGS_EQUAL(1000, set_wall(1000));
  LONGS_EQUAL(begin_ms, set_wall(begin_ms));
  // Plausible is not synchronised: what somebody does by hand next is not followed, until the clock is.
  LONGS_EQUAL(begin_ms, set_wall(begin_ms + hour_ms));
  now.unsynchronised = false;
  LONGS_EQUAL(begin_ms + hour_ms, clock.at(now));
}

TEST(PipelineClock, the_earliest_plausible_time_is_the_limit) {
  now.wall_ms = 0;
  now.unsynchronised = true;
  clock.at(now);
  LONGS_EQUAL(0, set_wall(earliest_plausible_wall_ms - 1));
  LONGS_EQUAL(earliest_plausible_wall_ms, set_wall(earliest_plausible_wall_ms));
}

TEST(PipelineClock, follows_a_clock_forward_when_it_is_synchronised_and_never_again) {
  now.unsynchronised = true;
  clock.at(now);
  LONGS_EQUAL(begin_ms, set_wall(begin_ms + hour_ms));
  now.unsynchronised = false;
  LONGS_EQUAL(begin_ms + hour_ms, clock.at(now));
  LONGS_EQUAL(begin_ms + hour_ms, set_wall(begin_ms + 2 * hour_ms));
}

TEST(PipelineClock, lets_a_clock_that_is_synchronised_backward_catch_up_a_tenth_of_a_second_each_second) {
  now.unsynchronised = true;
  clock.at(now);
  now.unsynchronised = false;
  LONGS_EQUAL(begin_ms, set_wall(begin_ms - 250));
  LONGS_EQUAL(250, clock.ahead_ms());
  tick(1);
  LONGS_EQUAL(begin_ms + 900, clock.at(now));
  tick(1);
  LONGS_EQUAL(begin_ms + 1800, clock.at(now));
  tick(1);
  LONGS_EQUAL(begin_ms + 2750, clock.at(now));
  LONGS_EQUAL(0, clock.ahead_ms());
  LONGS_EQUAL(now.wall_ms, clock.at(now));
}

TEST(PipelineClock, goes_on_from_the_last_run_in_a_boot_in_1970) {
  clock.restore(begin_ms);
  now.wall_ms = 1000;
  now.unsynchronised = true;
  LONGS_EQUAL(begin_ms, clock.at(now));
  LONGS_EQUAL(begin_ms + 60'000, pass(60'000));
  LONGS_EQUAL(0, clock.ahead_ms());
  now.unsynchronised = false;
  LONGS_EQUAL(begin_ms + hour_ms, set_wall(begin_ms + hour_ms));
}

TEST(PipelineClock, never_begins_before_the_last_run) {
  clock.restore(begin_ms + hour_ms);
  LONGS_EQUAL(begin_ms + hour_ms, clock.at(now));
  LONGS_EQUAL(hour_ms, clock.ahead_ms());
  PipelineClock later;
  later.restore(begin_ms - 1);
  LONGS_EQUAL(begin_ms, later.at(now));
  LONGS_EQUAL(0, later.ahead_ms());
}

TEST(PipelineClock, never_goes_back_while_it_lets_the_wall_clock_catch_up) {
  clock.restore(begin_ms + hour_ms);
  int64_t last_ms = clock.at(now);
  for (int turn = 0; turn < 5000; ++turn) {
    now.boot_ms += 7;
    now.wall_ms += 7;
    if (turn % 143 == 0) clock.on_tick(now);
    const int64_t at_ms = clock.at(now);
    CHECK(at_ms >= last_ms);
    last_ms = at_ms;
  }
}
