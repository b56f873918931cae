#include "agent/runtime/checkpoint_coordinator.h"

#include <memory>

#include "agent/base/heap_guard.h"
#include "firmware-tests/support/memory_store.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(CheckpointCoordinator), CheckpointOwner {
  Arena arena{8 << 20};
  MemoryStore store;
  StepExecutor executor{store};
  PlainManifestCodec codec;
  CheckpointPolicy policy;
  std::vector<NamedTrigger> triggers;
  CheckpointProgress progress;
  Status hopeless;
  CheckpointHistory history;
  std::unique_ptr<CheckpointCoordinator> coordinator;
  Now now{1'000'000, 5'000'000};
  bool dirty = true;
  uint64_t barriers = 0;
  Status decided;
  uint64_t decided_id = 0;

  bool checkpoint_dirty() const override { return dirty; }
  CheckpointProgress checkpoint_progress() const override { return progress; }
  void checkpoint_hopeless(Status status) override { hopeless = status; }
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
    coordinator = std::make_unique<CheckpointCoordinator>(arena, "test", policy, std::move(triggers), SnapshotBounds{64, 1, 1},
                                                          codec, history, *this);
    coordinator->connect(executor);
    coordinator->start(1, next_id - 1, next_id, reserved, now);
  }
  void wait(int64_t ms) {
    now.boot_ms += ms;
    coordinator->on_turn(now);
  }
  void records(int count) {
    for (int i = 0; i < count; ++i) coordinator->on_record(10);
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

TEST(CheckpointCoordinator, that_is_slow_holds_up_the_next_one_instead_of_allocating) {
  start();
  coordinator->request(CheckpointReason::Requested);
  wait(0);
  heap_guard_arm();
  for (int round = 0; round < 100; ++round) {
    records(1);
    coordinator->request(CheckpointReason::Requested);
    wait(10);
  }
  const uint64_t allocations = heap_allocations(HeapOwner::Weir);
  heap_guard_disarm();
  UNSIGNED_LONGS_EQUAL(1, barriers);
  UNSIGNED_LONGS_EQUAL(0, allocations);
  executor.run(now);
  wait(1000);
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

// ---- the other triggers

TEST(CheckpointCoordinator, takes_one_at_the_interval_without_changes_too_if_it_does_not_skip) {
  policy.skip_clean = false;
  start();
  dirty = false;
  wait(policy.interval_ms - 1);
  CHECK_FALSE(executor.busy());
  wait(1);
  complete();
}

TEST(CheckpointCoordinator, triggers_by_payload_bytes_changed_keys_and_waiting_results_after_the_pause) {
  policy.bytes = 100;
  policy.dirty_keys = 7;
  policy.outbox_rows = 3;
  start();
  records(9);
  progress.changes.keys = 6;
  progress.outbox_rows = 2;
  wait(policy.min_pause_ms);
  CHECK_FALSE(executor.busy());
  records(1);
  wait(0);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::PayloadBytes);
  progress.changes.keys = 7;
  wait(policy.min_pause_ms - 1);
  CHECK_FALSE(executor.busy());
  LONGS_EQUAL(now.boot_ms + 1, coordinator->next_deadline_boot_ms(now));
  wait(1);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::DirtyKeys);
  progress.changes.keys = 0;
  progress.outbox_rows = 3;
  wait(policy.min_pause_ms);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::OutboxRows);
}

TEST(CheckpointCoordinator, triggers_by_changed_bytes_at_once_and_by_four_fifths_of_the_room_if_nothing_is_said) {
  start();  // the room is 64 bytes
  progress.changes.bytes = 47;
  wait(0);
  CHECK_FALSE(executor.busy());
  progress.changes.bytes = 48;
  LONGS_EQUAL(now.boot_ms, coordinator->next_deadline_boot_ms(now));
  wait(0);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::DirtyBytes);
}

TEST(CheckpointCoordinator, triggers_when_the_watermark_has_moved_as_far_as_is_asked) {
  policy.event_time_ms = 1000;
  start();
  wait(policy.min_pause_ms);
  progress.watermark_ms = 5000;
  wait(0);
  progress.watermark_ms = 5999;
  wait(0);
  CHECK_FALSE(executor.busy());
  progress.watermark_ms = INT64_MIN;  // something that it made due has not fired
  wait(0);
  CHECK_FALSE(executor.busy());
  progress.watermark_ms = 6000;
  wait(0);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::EventTime);
  progress.watermark_ms = 6999;
  wait(policy.min_pause_ms);
  CHECK_FALSE(executor.busy());
  progress.watermark_ms = 7000;
  wait(0);
  complete();
}

TEST(CheckpointCoordinator, in_mode_all_waits_until_all_that_is_set_holds) {
  policy.all = true;
  policy.records = 10;
  policy.interval_ms = 2000;
  start();
  records(10);
  wait(1999);
  CHECK_FALSE(executor.busy());
  LONGS_EQUAL(now.boot_ms + 1, coordinator->next_deadline_boot_ms(now));
  wait(1);
  complete();
  records(9);
  wait(2000);
  CHECK_FALSE(executor.busy());
  records(1);
  wait(0);
  complete();
  records(static_cast<int>(policy.unacked));
  wait(0);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::Unacked);
}

namespace {

/// Asks as it was told to, and writes down what it is told.
struct ToldTrigger final : CheckpointTrigger {
  explicit ToldTrigger(Ask& answer) : ask(answer) {}
  Ask evaluate(const CheckpointContext& context) override {
    seen = context;
    return ask;
  }
  void on_completed(uint64_t id) override { completed = id; }
  void on_failed(uint64_t id) override { failed = id; }
  Ask& ask;
  CheckpointContext seen;
  uint64_t completed = 0, failed = 0;
};

}  // namespace

TEST(CheckpointCoordinator, asks_triggers_which_may_wait_for_the_pause_or_not_and_tells_them_how_it_went) {
  CheckpointTrigger::Ask ask = CheckpointTrigger::Ask::No;
  auto owned = std::make_unique<ToldTrigger>(ask);
  ToldTrigger& trigger = *owned;
  triggers.push_back({CheckpointReason::Trigger, std::move(owned)});
  start();
  records(3);
  progress.changes = {4, 50};
  progress.changes.bytes = 40;
  wait(100);
  CHECK_FALSE(executor.busy());
  LONGS_EQUAL(3, trigger.seen.records);
  LONGS_EQUAL(30, trigger.seen.bytes);
  LONGS_EQUAL(4, trigger.seen.dirty_keys);
  LONGS_EQUAL(40, trigger.seen.dirty_bytes);
  LONGS_EQUAL(100, trigger.seen.since_ms);
  ask = CheckpointTrigger::Ask::Soft;
  wait(policy.min_pause_ms - 101);
  CHECK_FALSE(executor.busy());
  wait(1);
  complete();
  CHECK(store.reasons.back() == CheckpointReason::Trigger);
  LONGS_EQUAL(1, trigger.completed);
  ask = CheckpointTrigger::Ask::Hard;
  store.fail_with = {Code::Full, "disk full"};
  wait(0);
  complete();
  LONGS_EQUAL(2, trigger.failed);
  LONGS_EQUAL(1, coordinator->context(now).failures);
}

// ---- when checkpoints fail

TEST(CheckpointCoordinator, tolerates_as_many_failures_in_a_row_as_it_is_told) {
  policy.tolerable_failures = 2;
  start();
  auto fail = [&] {
    store.fail_with = {Code::Full, "disk full"};
    coordinator->request(CheckpointReason::Requested);
    wait(20'000);
    complete();
  };
  fail();
  fail();
  CHECK(hopeless.ok());
  store.fail_with = {};
  wait(20'000);
  complete();
  fail();
  fail();
  CHECK(hopeless.ok());
  fail();
  CHECK(hopeless.code() == Code::Unavailable);
}

TEST(CheckpointCoordinator, says_when_changes_have_waited_too_long_and_holds_if_that_is_asked) {
  policy.max_age_ms = 10'000;
  policy.on_max_age = CheckpointPolicy::OnMaxAge::Hold;
  start();
  dirty = false;
  wait(60'000);
  CHECK_FALSE(coordinator->holds());
  dirty = true;
  store.fail_with = {Code::Full, "disk full"};
  wait(0);
  complete();
  wait(10'000);
  CHECK_FALSE(coordinator->holds());
  wait(1);
  CHECK_TRUE(coordinator->holds());
  CHECK_TRUE(coordinator->status(now).overage);
  if (executor.busy()) complete();
  store.fail_with = {};
  wait(20'000);
  complete();
  CHECK_FALSE(coordinator->holds());
  CHECK_FALSE(coordinator->status(now).overage);
  CHECK(hopeless.ok());
}

TEST(CheckpointCoordinator, gives_up_when_changes_have_waited_too_long_if_that_is_asked) {
  policy.max_age_ms = 10'000;
  policy.on_max_age = CheckpointPolicy::OnMaxAge::Restart;
  policy.interval_ms = 0;
  start();
  wait(10'000);
  CHECK(hopeless.ok());
  LONGS_EQUAL(now.boot_ms + 1, coordinator->next_deadline_boot_ms(now));
  wait(1);
  CHECK(hopeless.code() == Code::Unavailable);
}

// ---- the parts of a checkpoint's time

TEST(CheckpointCoordinator, waits_for_the_timer_and_then_for_the_first_change) {
  start();
  dirty = false;
  wait(policy.interval_ms + 700);
  dirty = true;
  wait(0);
  complete();
  LONGS_EQUAL(policy.interval_ms, history[0].timer_ms);
  LONGS_EQUAL(700, history[0].data_ms);
  now.boot_ms += 0;
  records(1);
  wait(policy.interval_ms);
  complete();
  LONGS_EQUAL(policy.interval_ms, history[0].timer_ms);
  LONGS_EQUAL(0, history[0].data_ms);
}

TEST(CheckpointCoordinator, another_trigger_cuts_the_time_of_the_timer_short) {
  policy.records = 5;
  start();
  records(5);
  wait(1200);
  complete();
  LONGS_EQUAL(1200, history[0].timer_ms);
  LONGS_EQUAL(0, history[0].data_ms);
  CHECK(history[0].reason == CheckpointReason::Records);
  UNSIGNED_LONGS_EQUAL(8, history[0].bytes);
}

TEST(CheckpointCoordinator, without_a_timer_all_of_the_time_is_waiting_for_data) {
  policy.interval_ms = 0;
  policy.records = 5;
  start();
  wait(3000);
  records(5);
  wait(0);
  complete();
  LONGS_EQUAL(0, history[0].timer_ms);
  LONGS_EQUAL(3000, history[0].data_ms);
}
