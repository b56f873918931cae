#include "connectors/mqtt/backoff.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(Backoff){static void check_within(int64_t value, int64_t low, int64_t high){CHECK(value >= low && value <= high);
}
}
;

TEST(Backoff, doubles_from_one_second_to_a_minute_with_a_fifth_of_jitter) {
  Backoff backoff(7);
  for (int64_t ms : {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000})
    check_within(backoff.after_failure_ms(), ms - ms / 5, ms + ms / 5);
}

TEST(Backoff, comes_back_quickly_after_a_connection_that_had_held) {
  Backoff backoff(7);
  int64_t least = INT64_MAX;
  int64_t most = 0;
  for (int draw = 0; draw < 2000; ++draw) {
    int64_t ms = backoff.after_loss_ms();
    least = ms < least ? ms : least;
    most = ms > most ? ms : most;
  }
  LONGS_EQUAL(100, least);
  LONGS_EQUAL(300, most);
}

TEST(Backoff, begins_again_after_a_loss_or_a_reset) {
  Backoff backoff(7);
  for (int failure = 0; failure < 5; ++failure) backoff.after_failure_ms();
  backoff.after_loss_ms();
  check_within(backoff.after_failure_ms(), 800, 1200);
  backoff.reset();
  check_within(backoff.after_failure_ms(), 800, 1200);
}

TEST(Backoff, a_contested_session_is_sought_again_more_and_more_slowly_from_the_second_time_on) {
  Backoff backoff(7);
  check_within(backoff.after_contest_ms(uncontested_ms - 1), 100, 300);
  for (int64_t ms : {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000})
    check_within(backoff.after_contest_ms(uncontested_ms - 1), ms - ms / 5, ms + ms / 5);
}

TEST(Backoff, a_connection_that_held_for_ten_minutes_ends_the_contest) {
  Backoff backoff(7);
  for (int contest = 0; contest < 5; ++contest) backoff.after_contest_ms(5000);
  check_within(backoff.after_contest_ms(uncontested_ms), 100, 300);
  check_within(backoff.after_contest_ms(0), 800, 1200);
}

TEST(Backoff, a_contest_goes_on_through_losses_and_failures_of_other_kinds) {
  Backoff backoff(7);
  for (int contest = 0; contest < 3; ++contest) backoff.after_contest_ms(5000);
  backoff.after_loss_ms();
  backoff.after_failure_ms();
  backoff.reset();
  check_within(backoff.after_contest_ms(5000), 3200, 4800);
}

TEST(Backoff, same_seed_same_delays_other_seed_other_delays) {
  Backoff one(1);
  Backoff again(1);
  Backoff other(2);
  bool differs = false;
  for (int draw = 0; draw < 10; ++draw) {
    int64_t ms = one.after_failure_ms();
    LONGS_EQUAL(ms, again.after_failure_ms());
    differs = differs || ms != other.after_failure_ms();
  }
  CHECK(differs);
}
