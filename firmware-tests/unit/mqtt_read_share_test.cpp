#include "connectors/mqtt/read_share.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(ReadShare) {
  ReadShare share;

  /// Uses the whole portion, with messages that take so long each.
  void read_all(int64_t us_each) { share.used(share.reads(), share.reads() * us_each / 1000); }
};

TEST(ReadShare, quick_messages_are_read_in_large_portions) {
  UNSIGNED_LONGS_EQUAL(256, share.reads());
  read_all(39);  // 9 ms
  UNSIGNED_LONGS_EQUAL(256, share.reads());
}

TEST(ReadShare, a_portion_that_takes_its_share_to_the_full_stays_and_one_above_shrinks) {
  share.used(256, ReadShare::share_ms);
  UNSIGNED_LONGS_EQUAL(256, share.reads());
  share.used(256, ReadShare::share_ms + 1);
  UNSIGNED_LONGS_EQUAL(256 * 10 / 11, share.reads());
}

TEST(ReadShare, slow_messages_come_in_portions_that_fit_the_share_at_once) {
  read_all(5000);
  UNSIGNED_LONGS_EQUAL(2, share.reads());
  read_all(5000);
  UNSIGNED_LONGS_EQUAL(2, share.reads());
}

TEST(ReadShare, there_is_always_one) {
  share.used(1, 60'000);
  UNSIGNED_LONGS_EQUAL(1, share.reads());
  share.used(0, 60'000);
  UNSIGNED_LONGS_EQUAL(1, share.reads());
}

TEST(ReadShare, grows_again_step_by_step_up_to_the_largest_portion) {
  read_all(5000);
  for (uint32_t reads = 4; reads <= 256; reads *= 2) {
    read_all(1);
    UNSIGNED_LONGS_EQUAL(reads, share.reads());
  }
  read_all(1);
  UNSIGNED_LONGS_EQUAL(256, share.reads());
}

TEST(ReadShare, does_not_grow_when_there_was_less_to_read_or_half_the_share_is_used) {
  read_all(5000);
  share.used(1, 0);
  UNSIGNED_LONGS_EQUAL(2, share.reads());
  share.used(2, ReadShare::share_ms / 2 + 1);
  UNSIGNED_LONGS_EQUAL(2, share.reads());
  share.used(2, ReadShare::share_ms / 2);
  UNSIGNED_LONGS_EQUAL(4, share.reads());
}
