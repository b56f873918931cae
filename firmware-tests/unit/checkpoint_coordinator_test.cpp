#include "agent/runtime/checkpoint_coordinator.h"

#include <memory>

#include "firmware-tests/support/memory_store.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(CheckpointCoordinator), CheckpointOwner {
  Arena arena{8 << 20};
  MemoryStore store;
  StepExecutor executor{store};
  PlainManifestCodec codec;
  CheckpointPolicy policy;
  std::unique_ptr<CheckpointCoordinator> coordinator;
  Now now{1'000'000, 5'000'000};
  bool dirty = true;
  uint64_t barriers = 0;
  Status decided;
  uint64_t decided_id = 0;

  bool checkpoint_dirty() const override { return dirty; }
  void checkpoint_barrier(Snapshot & snapshot, Manifest&) override {
    ++barriers;
    snapshot.open(BlobKind::Operator, 1).put(barriers);
    snapshot.close();
  }
  void checkpoint_decided(uint64_t id, Status status, Now) override {
    decided_id = id;
    decided = status;
  }

  void start(uint64_t next_id = 1, uint64_t reserved = 1000) {
    coordinator = std::make_unique<CheckpointCoordinator>(arena, "test", policy, SnapshotBounds{64, 1, 1}, codec, *this);
    coordinator->connect(executor);
    coordinator->start(1, next_id - 1, next_id, reserved, now);
  }
  void wait(int64_t ms) {
    now.boot_ms += ms;
    coordinator->on_turn(now);
  }
  void records(int count) {
    for (int i = 0; i < count; ++i) coordinator->on_record();
  }
  /// A checkpoint that is due, seen through to its end.
  void complete() {
    CHECK(executor.busy());
    executor.run(now);
  }
};

TEST(CheckpointCoordinator, triggers_when_the_interval_is_over_and_not_before) {
  start();
  wait(policy.interval_ms - 1);
  CHECK_FALSE(executor.busy());
  LONGS_EQUAL(now.boot_ms + 1, coordinator->next_deadline_boot_ms(now));
  wait(1);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::Interval);
}

TEST(CheckpointCoordinator, skips_the_interval_while_there_is_nothing_to_save) {
  start();
  dirty = false;
  wait(10 * policy.interval_ms);
  CHECK_FALSE(executor.busy());
  LONGS_EQUAL(INT64_MAX, coordinator->next_deadline_boot_ms(now));
  dirty = true;
  wait(0);
  complete();
}

TEST(CheckpointCoordinator, triggers_by_records_only_after_the_pause) {
  policy.records = 100;
  start();
  records(100);
  wait(policy.min_pause_ms - 1);
  CHECK_FALSE(executor.busy());
  wait(1);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::Records);
  records(99);
  wait(policy.min_pause_ms);
  CHECK_FALSE(executor.busy());
}

TEST(CheckpointCoordinator, triggers_at_half_the_window_whatever_the_pause) {
  policy.unacked = 10;
  start();
  records(9);
  wait(0);
  CHECK_FALSE(executor.busy());
  records(1);
  wait(0);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::Unacked);
}

TEST(CheckpointCoordinator, has_one_in_flight_at_most) {
  start();
  coordinator->request(CheckpointReason::Requested);
  wait(0);
  CHECK(coordinator->in_flight());
  coordinator->request(CheckpointReason::Requested);
  wait(100);
  UNSIGNED_LONGS_EQUAL(1, barriers);
  executor.run(now);
  wait(0);
  UNSIGNED_LONGS_EQUAL(2, barriers);
}

TEST(CheckpointCoordinator, tells_its_owner_and_tries_again_after_a_growing_pause_when_a_commit_fails) {
  start();
  store.fail_with = {Code::Full, "disk full"};
  coordinator->request(CheckpointReason::Requested);
  wait(0);
  executor.run(now);
  CHECK(decided.code() == Code::Full);
  wait(0);
  CHECK_FALSE(executor.busy());
  int64_t first = coordinator->next_deadline_boot_ms(now) - now.boot_ms;
  wait(first);
  executor.run(now);
  int64_t second = coordinator->next_deadline_boot_ms(now) - now.boot_ms;
  CHECK(second > first);
  store.fail_with = {};
  wait(second);
  executor.run(now);
  CHECK(decided.ok());
  UNSIGNED_LONGS_EQUAL(2, coordinator->status(now).failed);
  STRCMP_EQUAL("", coordinator->status(now).error);
}

TEST(CheckpointCoordinator, never_uses_an_id_twice_not_even_one_that_failed) {
  start();
  store.fail_with = {Code::Busy, "busy"};
  coordinator->request(CheckpointReason::Requested);
  wait(0);
  executor.run(now);
  uint64_t failed_id = decided_id;
  store.fail_with = {};
  wait(60'000);
  executor.run(now);
  CHECK(decided_id > failed_id);
}

TEST(CheckpointCoordinator, reserves_the_next_block_of_ids_before_the_last_one_is_used_up) {
  start(998, 1000);
  for (uint64_t id = 998; id <= 1002; ++id) {
    coordinator->request(CheckpointReason::Requested);
    wait(0);
    executor.run(now);
    UNSIGNED_LONGS_EQUAL(id, decided_id);
    CHECK(store.reserved_id > id);
  }
}

TEST(CheckpointCoordinator, a_stop_keeps_its_name_whoever_else_asks) {
  start();
  coordinator->request(CheckpointReason::Stop);
  coordinator->request(CheckpointReason::Requested);
  wait(0);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::Stop);
}
