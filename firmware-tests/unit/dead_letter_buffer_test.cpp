#include "agent/runtime/dead_letter_buffer.h"

#include <string>
#include <vector>

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(DeadLetterBuffer) {
  static constexpr size_t payload_max = 100;
  static constexpr size_t reserve = 3;
  Arena arena{4 << 20};
  DeadLetterBuffer buffer{arena, "letters", payload_max, reserve};
  Snapshot snapshot;
  std::vector<uint8_t> payload = std::vector<uint8_t>(5000, 'x');
  std::string text = std::string(3000, 't');

  void add_largest() {
    DeadLetter letter;
    letter.reason = "json";
    letter.detail = text;
    letter.topic = text;
    letter.payload = payload;
    letter.payload_size = payload.size();
    CHECK(buffer.add(letter));
  }
};

TEST(DeadLetterBuffer, keeps_room_for_all_that_one_message_can_cause) {
  int added = 0;
  for (; buffer.ready(); ++added) add_largest();
  CHECK(added > 0);
  // Not ready for another message, but the last one may still cause its share.
  for (size_t more = 1; more < reserve; ++more) add_largest();
}

TEST(DeadLetterBuffer, keeps_as_much_of_each_part_as_its_limit_says) {
  add_largest();
  buffer.snapshot(snapshot);
  const DeadLetter& kept = snapshot.dead_letters()[0];
  UNSIGNED_LONGS_EQUAL(payload_max, kept.payload.size());
  UNSIGNED_LONGS_EQUAL(5000, kept.payload_size);
  UNSIGNED_LONGS_EQUAL(dead_letter_topic_max, kept.topic.size());
  UNSIGNED_LONGS_EQUAL(dead_letter_detail_max, kept.detail.size());
}

TEST(DeadLetterBuffer, takes_nothing_while_a_checkpoint_uses_it_and_keeps_all_if_that_fails) {
  add_largest();
  buffer.snapshot(snapshot);
  CHECK_FALSE(buffer.ready());
  buffer.snapshot_done(false);
  CHECK(buffer.ready());
  CHECK_FALSE(buffer.empty());
  buffer.snapshot(snapshot);
  buffer.snapshot_done(true);
  CHECK(buffer.empty());
}
