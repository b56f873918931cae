#include "connectors/mqtt/session_tail.h"

#include <algorithm>

#include "firmware-tests/support/mqtt_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

/// A part of a pipeline that has only a tail.
class TailPart final : public Stateful {
 public:
  explicit TailPart(uint32_t pending_max = session_tail_pending_max) : tail(arena, "tail", pending_max) {}
  std::string_view uid() const override { return "tail"; }
  std::string_view layout() const override { return "tail"; }
  SnapshotBounds snapshot_bounds() const override { return tail.snapshot_bounds(); }
  void snapshot(Snapshot& snapshot) override { tail.snapshot(snapshot, op()); }
  void snapshot_done(uint64_t, bool committed) override { tail.snapshot_done(committed); }
  Status restore(const StoredBlob& blob) override { return tail.restore(blob); }
  Status restore_finished() override { return {}; }

  Arena arena;
  SessionTail tail;
};

uint16_t mid_of(uint32_t number) { return static_cast<uint16_t>(number % 65535 + 1); }

}  // namespace

TEST_GROUP(SessionTail) {
  TailPart part;
  TestCheckpoints checkpoints;

  static void deliver(TailPart & to, uint32_t first, uint32_t count) {
    for (uint32_t number = first; number < first + count; ++number) to.tail.record(mid_of(number), number);
  }
  static bool known(TailPart & of, uint32_t number) {
    of.tail.open_window();
    return of.tail.match(mid_of(number), number);
  }
  /// Deliveries 0 to count-1 in checkpoints of at most `each`.
  void deliver_in_checkpoints(uint32_t count, uint32_t each) {
    for (uint32_t number = 0; number < count; number += each) {
      deliver(part, number, std::min(each, count - number));
      checkpoints.checkpoint(part);
    }
  }
  void restore_into(TailPart & other) { CHECK(checkpoints.restore(other).ok()); }
};

TEST(SessionTail, matches_packet_id_and_hash_together_only) {
  part.tail.record(5, 50);
  part.tail.open_window();
  CHECK_FALSE(part.tail.match(5, 51));
  CHECK_FALSE(part.tail.match(6, 50));
  CHECK(part.tail.match(5, 50));
}

TEST(SessionTail, matches_each_entry_once_per_window) {
  part.tail.record(5, 50);
  part.tail.open_window();
  CHECK(part.tail.match(5, 50));
  CHECK_FALSE(part.tail.match(5, 50));
  part.tail.open_window();
  CHECK(part.tail.match(5, 50));
}

TEST(SessionTail, finds_redeliveries_in_any_order) {
  deliver(part, 0, 1000);
  part.tail.open_window();
  for (uint32_t number : {500U, 501U, 502U, 10U, 999U, 0U, 1U, 998U}) CHECK(part.tail.match(mid_of(number), number));
}

TEST(SessionTail, a_delivery_inside_of_the_window_does_not_disturb_the_order) {
  deliver(part, 0, 10);
  part.tail.open_window();
  CHECK(part.tail.match(mid_of(3), 3));
  deliver(part, 100, 2);
  for (uint32_t number = 4; number < 10; ++number) CHECK(part.tail.match(mid_of(number), number));
  CHECK_FALSE(part.tail.match(mid_of(50), 50));
}

TEST(SessionTail, holds_exactly_the_newest_32768) {
  deliver_in_checkpoints(32768, 10000);
  CHECK(known(part, 0));
  UNSIGNED_LONGS_EQUAL(32768, part.tail.size());
  deliver(part, 32768, 1);
  CHECK_FALSE(known(part, 0));
  CHECK(known(part, 1));
  CHECK(known(part, 32768));
}

TEST(SessionTail, holds_exactly_the_newest_32768_after_a_restore) {
  deliver_in_checkpoints(32769, 10000);
  TailPart other;
  restore_into(other);
  CHECK_FALSE(known(other, 0));
  CHECK(known(other, 1));
  CHECK(known(other, 32768));
}

TEST(SessionTail, forgets_stored_blobs_only_when_newer_ones_hold_the_capacity) {
  deliver_in_checkpoints(32768 + 999, 1000);
  UNSIGNED_LONGS_EQUAL(34, checkpoints.blobs(BlobKind::SessionTail));
  deliver(part, 32768 + 999, 1);
  checkpoints.checkpoint(part);
  UNSIGNED_LONGS_EQUAL(34, checkpoints.blobs(BlobKind::SessionTail));
  UNSIGNED_LONGS_EQUAL(32768 * session_tail_entry_bytes, checkpoints.bytes(BlobKind::SessionTail));
  TailPart other;
  restore_into(other);
  CHECK(known(other, 1000));
  CHECK_FALSE(known(other, 999));
}

TEST(SessionTail, many_small_checkpoints_keep_the_store_bounded_and_the_newest_complete) {
  constexpr uint32_t count = 70000;
  for (uint32_t number = 0; number < count; number += 7) {
    deliver(part, number, 7);
    checkpoints.checkpoint(part);
  }
  size_t stored = checkpoints.bytes(BlobKind::SessionTail) / session_tail_entry_bytes;
  CHECK(stored >= 32768 && stored <= 32768 + 256 + 7);
  TailPart other;
  restore_into(other);
  UNSIGNED_LONGS_EQUAL(32768, other.tail.size());
  CHECK(known(other, count - 32768 + 7));
  CHECK(known(other, count - 1));
  // And the restored one goes on forgetting where the first left off.
  for (uint32_t number = count + 5; number < 2 * count; number += 7) {
    deliver(other, number, 7);
    checkpoints.checkpoint(other);
  }
  stored = checkpoints.bytes(BlobKind::SessionTail) / session_tail_entry_bytes;
  CHECK(stored >= 32768 && stored <= 32768 + 2 * 256 + 7);
}

TEST(SessionTail, one_blob_of_ten_bytes_per_delivery_and_checkpoint) {
  deliver(part, 0, 3);
  checkpoints.checkpoint(part);
  UNSIGNED_LONGS_EQUAL(30, checkpoints.bytes(BlobKind::SessionTail));
  checkpoints.checkpoint(part);
  UNSIGNED_LONGS_EQUAL(1, checkpoints.blobs(BlobKind::SessionTail));
}

TEST(SessionTail, a_failed_checkpoint_leaves_its_deliveries_to_the_next) {
  deliver(part, 0, 3);
  checkpoints.barrier(part);
  checkpoints.fail(part);
  UNSIGNED_LONGS_EQUAL(3, part.tail.pending());
  deliver(part, 3, 2);
  checkpoints.checkpoint(part);
  UNSIGNED_LONGS_EQUAL(50, checkpoints.bytes(BlobKind::SessionTail));
  UNSIGNED_LONGS_EQUAL(0, part.tail.pending());
}

TEST(SessionTail, knows_deliveries_that_no_checkpoint_covers_yet) {
  deliver(part, 0, 2);
  CHECK(known(part, 0));
  CHECK(known(part, 1));
}

TEST(SessionTail, is_full_at_the_bound_of_what_may_wait) {
  TailPart small(4);
  deliver(small, 0, 3);
  CHECK_FALSE(small.tail.full());
  deliver(small, 3, 1);
  CHECK(small.tail.full());
  checkpoints.checkpoint(small);
  CHECK_FALSE(small.tail.full());
}

TEST(SessionTail, the_largest_pending_tail_fits_its_snapshot_and_comes_back) {
  deliver(part, 0, session_tail_pending_max);
  CHECK(part.tail.full());
  checkpoints.checkpoint(part);
  TailPart other;
  restore_into(other);
  CHECK(known(other, 0));
}

TEST(SessionTail, a_cleared_tail_with_nothing_stored_is_durable_at_once) {
  deliver(part, 0, 2);
  part.tail.clear();
  CHECK(part.tail.clear_is_durable());
  UNSIGNED_LONGS_EQUAL(0, part.tail.size());
  UNSIGNED_LONGS_EQUAL(0, part.tail.pending());
}

TEST(SessionTail, a_cleared_tail_forgets_what_is_stored_with_the_next_committed_checkpoint) {
  deliver_in_checkpoints(10, 5);
  part.tail.clear();
  deliver(part, 100, 1);
  CHECK_FALSE(part.tail.clear_is_durable());
  checkpoints.barrier(part);
  checkpoints.fail(part);
  CHECK_FALSE(part.tail.clear_is_durable());
  UNSIGNED_LONGS_EQUAL(2, checkpoints.blobs(BlobKind::SessionTail));
  checkpoints.checkpoint(part);
  CHECK(part.tail.clear_is_durable());
  TailPart other;
  restore_into(other);
  UNSIGNED_LONGS_EQUAL(1, other.tail.size());
  CHECK(known(other, 100));
  CHECK_FALSE(known(other, 9));
}

TEST(SessionTail, clearing_while_a_snapshot_is_on_its_way_also_voids_what_that_one_stores) {
  deliver(part, 0, 3);
  checkpoints.barrier(part);
  part.tail.clear();
  checkpoints.commit(part);
  CHECK_FALSE(part.tail.clear_is_durable());
  UNSIGNED_LONGS_EQUAL(0, part.tail.pending());
  checkpoints.checkpoint(part);
  CHECK(part.tail.clear_is_durable());
  UNSIGNED_LONGS_EQUAL(0, checkpoints.blobs(BlobKind::SessionTail));
}

TEST(SessionTail, refuses_malformed_blobs) {
  uint8_t bytes[20] = {1};
  auto restore = [&](size_t size, uint64_t id) {
    return part.restore({BlobKind::SessionTail, 0, id, Bytes(bytes, size)}).code() == Code::Corrupt;
  };
  CHECK(restore(0, 1));
  CHECK(restore(9, 1));
  CHECK(restore(11, 1));
  CHECK(restore(20, 1));  // the second packet id is 0
  bytes[10] = 2;
  CHECK_FALSE(restore(20, 5));
  CHECK(restore(20, 5));
  CHECK(restore(20, 4));
}
