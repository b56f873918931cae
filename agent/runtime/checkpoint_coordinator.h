// CheckpointCoordinator: decides when a pipeline takes a checkpoint and sees it through.
//
//   TRIGGERED(id) -> barrier: every part copies its changes -> COMMITTING on the storage thread
//     -> COMPLETED: parts are told, the source acknowledges, the outbox publishes
//     -> FAILED(reason): rolled back, the changes are changes again, retried after a pause
//
// At most one is in flight. Ids are a counter that never goes back and is never used twice: a block of ids is reserved durably
// before it is used, and a restart continues behind the reservation. Reactor thread only; the commit itself runs as a job.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "agent/base/arena.h"
#include "agent/model/checkpoint_trigger.h"
#include "agent/model/pipeline_status.h"
#include "agent/runtime/checkpoint_history.h"
#include "agent/runtime/storage_executor.h"

namespace weir {

/// When a checkpoint is taken. Of a limit 0 means: it does not count. What names no other rule waits for `min_pause`.
struct CheckpointPolicy {
  int64_t interval_ms = 5000;
  int64_t min_pause_ms = 500;  // from the end of one to the begin of the next
  bool skip_clean = true;      // the interval waits for the first change
  bool all = false;            // interval, records, bytes, dirty_keys, outbox_rows, event_time and triggers: all that are set
  uint64_t records = 0;
  uint64_t bytes = 0;
  uint64_t dirty_keys = 0;
  uint64_t outbox_rows = 0;
  int64_t event_time_ms = 0;
  uint64_t unacked = 500;                    // half the source's window; at once, for the window would stall
  uint64_t dirty_bytes = 0;                  // at once, and never off in a pipeline: it bounds what a barrier copies
  int64_t timeout_ms = 30000;                // a commit that takes longer is interrupted and has failed
  uint64_t tolerable_failures = UINT64_MAX;  // more in a row, and the pipeline fails
  int64_t max_age_ms = 0;                    // what has changed waits longer than this: on_max_age
  enum class OnMaxAge : uint8_t { Alarm, Hold, Restart };
  OnMaxAge on_max_age = OnMaxAge::Alarm;
};

/// A trigger and the reason that checkpoints name which it asked for.
struct NamedTrigger {
  CheckpointReason reason = CheckpointReason::Trigger;
  std::unique_ptr<CheckpointTrigger> trigger;
};

/// What the owner knows of what has gathered since the last barrier.
struct CheckpointProgress {
  StateChanges changes;
  uint64_t outbox_rows = 0;
  int64_t watermark_ms = INT64_MIN;  // none yet, or something that it made due has not fired
};

class CheckpointOwner {
 public:
  virtual ~CheckpointOwner() = default;
  /// Whether there is anything that a checkpoint would save.
  virtual bool checkpoint_dirty() const = 0;
  virtual CheckpointProgress checkpoint_progress() const { return {}; }
  /// A checkpoint is due. False: something must become durable first; asked again at every turn, and a turn must come then.
  virtual bool checkpoint_prepared(Now) { return true; }
  /// The barrier. Fills the snapshot and the manifest (all but id, reason and time).
  virtual void checkpoint_barrier(Snapshot& snapshot, Manifest& manifest) = 0;
  /// The checkpoint is decided. Code::Io and Code::Corrupt mean that the process must stop acknowledging and recover.
  virtual void checkpoint_decided(uint64_t id, Status status, Now now) = 0;
  /// Checkpoints cannot go on like this (tolerable_failures, max_age): the process must end and recover.
  virtual void checkpoint_hopeless(Status status) { (void)status; }
};

class CheckpointCoordinator final : private StorageJob {
 public:
  CheckpointCoordinator(Arena& arena, std::string_view pool, CheckpointPolicy policy, std::vector<NamedTrigger> triggers,
                        SnapshotBounds bounds, ManifestCodec& codec, CheckpointHistory& history, CheckpointOwner& owner);

  void connect(StorageExecutor& executor) { executor_ = &executor; }
  /// After recovery: where the ids go on. `reserved_id` is already durable.
  void start(uint32_t pipeline, uint64_t last_id, uint64_t next_id, uint64_t reserved_id, Now now);

  /// One message was taken in, with so many bytes of payload.
  void on_record(size_t bytes) {
    ++records_;
    bytes_ += bytes;
  }
  /// A checkpoint is wanted whatever the timer says.
  void request(CheckpointReason reason);
  /// Triggers if something is due.
  void on_turn(Now now);
  int64_t next_deadline_boot_ms(Now now) const;

  bool in_flight() const { return in_flight_; }
  bool requested() const { return requested_ != CheckpointReason::None; }
  uint64_t records_since_barrier() const { return records_; }
  /// Changes have waited for longer than max_age, and on_max_age says that no more must come.
  bool holds() const { return overage_ && policy_.on_max_age == CheckpointPolicy::OnMaxAge::Hold; }
  /// The id that the next attempt will have: a checkpoint with this or a greater one covers all that is there now.
  uint64_t next_id() const { return next_id_; }
  CheckpointContext context(Now now) const;
  CheckpointStatus status(Now now) const;

  /// Ids that one reservation covers.
  static constexpr uint64_t id_block = 1000;

 private:
  CheckpointReason due(Now now) const;
  CheckpointReason due_at_once(const CheckpointContext& context) const;
  CheckpointReason due_after_pause(const CheckpointContext& context, Now now) const;
  bool interval_over(Now now) const;
  void note_begin(Now now);
  void watch_commit(Now now);
  void watch_age(Now now);
  void trigger(CheckpointReason reason, Now now);
  void run(CheckpointStore& store) override;
  void done(Now now) override;
  bool wants_housekeeping() const override { return result_.ok(); }

  CheckpointPolicy policy_;
  std::vector<NamedTrigger> triggers_;
  ManifestCodec& codec_;
  CheckpointHistory& history_;
  CheckpointOwner& owner_;
  StorageExecutor* executor_ = nullptr;

  Snapshot snapshot_;
  Manifest manifest_;
  ByteWriter manifest_bytes_;
  CheckpointWrite write_;
  Status result_;

  bool in_flight_ = false;
  bool preparing_ = false;
  int64_t barrier_end_us_ = 0;
  int64_t commit_end_us_ = 0;             // written on the storage thread before done()
  std::atomic<bool> committing_ = false;  // on the storage thread, now
  bool overdue_told_ = false;
  bool overage_ = false;
  CheckpointReason requested_ = CheckpointReason::None;
  uint64_t records_ = 0;
  uint64_t bytes_ = 0;
  int64_t barrier_watermark_ms_ = INT64_MIN;
  uint64_t next_id_ = 1;
  uint64_t reserved_id_ = 0;
  int64_t triggered_boot_ms_ = 0;
  int64_t completed_boot_ms_ = 0;
  int64_t clean_boot_ms_ = 0;  // when there was last nothing to save
  int64_t retry_boot_ms_ = 0;
  int64_t retry_pause_ms_ = 0;
  CheckpointStatus status_;
};

}  // namespace weir
