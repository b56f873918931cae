#include "connectors/mqtt/shedding.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(Shedding) {
  ShedPolicy policy{ShedPolicy::Kind::Oldest, 5000, 3};

  /// Behind since 1000.
  Shedding behind() {
    Shedding shedding(policy);
    shedding.on_behind(1000);
    return shedding;
  }
  /// Sheds one message at 6000, then keeps up.
  Shedding on_probation() {
    Shedding shedding = behind();
    CHECK_FALSE(shedding.takes(true, 6000));
    shedding.on_drained(true);
    return shedding;
  }
};

TEST(Shedding, begins_when_messages_have_waited_for_the_time_without_a_break) {
  Shedding shedding = behind();
  shedding.on_behind(5000);
  CHECK_FALSE(shedding.active(5999));
  CHECK(shedding.takes(true, 5999));
  CHECK(shedding.active(6000));
  CHECK_FALSE(shedding.takes(true, 6000));
  UNSIGNED_LONGS_EQUAL(1, shedding.count());
}

TEST(Shedding, a_moment_without_messages_begins_the_wait_anew) {
  Shedding shedding = behind();
  shedding.on_drained(true);
  CHECK_FALSE(shedding.behind());
  shedding.on_behind(5500);
  CHECK(shedding.takes(true, 10'499));
  CHECK_FALSE(shedding.takes(true, 10'500));
}

TEST(Shedding, never_begins_where_nobody_wants_it) {
  policy.kind = ShedPolicy::Kind::Never;
  Shedding shedding = behind();
  CHECK_FALSE(shedding.enabled());
  CHECK_FALSE(shedding.active(1'000'000));
  CHECK(shedding.takes(true, 1'000'000));
}

TEST(Shedding, ends_when_no_message_waits) {
  Shedding shedding = behind();
  CHECK_FALSE(shedding.takes(true, 6000));
  CHECK_FALSE(shedding.takes(true, 6001));
  shedding.on_drained(true);
  CHECK(shedding.takes(true, 6002));
  UNSIGNED_LONGS_EQUAL(2, shedding.count());
}

TEST(Shedding, without_room_an_empty_line_ends_nothing) {
  Shedding shedding = behind();
  CHECK_FALSE(shedding.takes(false, 6000));
  shedding.on_drained(false);
  CHECK(shedding.active(6001));
}

TEST(Shedding, newest_sheds_only_what_there_is_no_room_for) {
  policy.kind = ShedPolicy::Kind::Newest;
  Shedding shedding = behind();
  CHECK(shedding.takes(true, 6000));
  CHECK_FALSE(shedding.takes(false, 6000));
  UNSIGNED_LONGS_EQUAL(1, shedding.count());
}

TEST(Shedding, sample_takes_one_of_so_many_while_there_is_room) {
  policy.kind = ShedPolicy::Kind::Sample;
  Shedding shedding = behind();
  int taken = 0;
  for (int message = 0; message < 9; ++message) taken += shedding.takes(true, 6000) ? 1 : 0;
  LONGS_EQUAL(3, taken);
  UNSIGNED_LONGS_EQUAL(6, shedding.count());
  CHECK_FALSE(shedding.takes(false, 6000));
}

TEST(Shedding, whoever_is_behind_again_soon_gets_a_tenth_of_a_second_only) {
  Shedding shedding = on_probation();
  shedding.on_behind(10'999);
  CHECK(shedding.takes(true, 10'999 + Shedding::probation_ms - 1));
  CHECK_FALSE(shedding.takes(true, 10'999 + Shedding::probation_ms));
}

TEST(Shedding, whoever_has_kept_up_for_the_time_gets_all_of_it_again) {
  Shedding shedding = on_probation();
  shedding.on_behind(11'000);
  CHECK(shedding.takes(true, 15'999));
  CHECK_FALSE(shedding.takes(true, 16'000));
}

TEST(Shedding, tells_its_beginning_and_its_end_once) {
  Shedding shedding = behind();
  CHECK_FALSE(shedding.begun());
  CHECK_FALSE(shedding.shows());
  (void)shedding.takes(true, 6000);
  (void)shedding.takes(true, 6000);
  CHECK(shedding.begun());
  CHECK_FALSE(shedding.begun());
  CHECK_FALSE(shedding.ended(60'000));
  shedding.on_drained(true);
  CHECK(shedding.shows());
  CHECK_FALSE(shedding.ended(10'999));
  CHECK(shedding.ended(11'000));
  CHECK_FALSE(shedding.ended(11'000));
  CHECK_FALSE(shedding.shows());
}
