// CheckpointCoordinator: decides when a pipeline takes a checkpoint and sees it through.
//
//   TRIGGERED(id) -> barrier: every part copies its changes -> COMMITTING on the storage thread
//     -> COMPLETED: parts are told, the source acknowledges, the outbox publishes
//     -> FAILED(reason): rolled back, the changes are changes again, retried after a pause
//
// At most one is in flight. Ids are a counter that never goes back and is never used twice: a block of ids is reserved durably
// before it is used, and a restart continues behind the reservation. Reactor thread only; the commit itself runs as a job.
#pragma once

#include "agent/base/arena.h"
#include "agent/model/pipeline_status.h"
#include "agent/runtime/storage_executor.h"

namespace weir {

struct CheckpointPolicy {
  int64_t interval_ms = 5000;  // 0: no timer
  int64_t min_pause_ms = 500;  // between the end of one and a trigger by interval or records
  int64_t timeout_ms = 30000;  // a commit that takes longer is reported
  uint64_t records = 0;        // 0: off
  uint64_t unacked = 500;      // half the source's window; ignores min_pause, for the window would stall
};

class CheckpointOwner {
 public:
  virtual ~CheckpointOwner() = default;
  /// Whether there is anything that a checkpoint would save.
  virtual bool checkpoint_dirty() const = 0;
  /// The barrier. Fills the snapshot and the manifest (all but id, reason and time).
  virtual void checkpoint_barrier(Snapshot& snapshot, Manifest& manifest) = 0;
  /// The checkpoint is decided. Code::Io and Code::Corrupt mean that the process must stop acknowledging and recover.
  virtual void checkpoint_decided(uint64_t id, Status status, Now now) = 0;
};

class CheckpointCoordinator final : private StorageJob {
 public:
  CheckpointCoordinator(Arena& arena, std::string_view pool, CheckpointPolicy policy, SnapshotBounds bounds,
                        ManifestCodec& codec, CheckpointOwner& owner);

  void connect(StorageExecutor& executor) { executor_ = &executor; }
  /// After recovery: where the ids go on. `reserved_id` is already durable.
  void start(uint32_t pipeline, uint64_t last_id, uint64_t next_id, uint64_t reserved_id, Now now);

  /// One message was taken in.
  void on_record() { ++records_; }
  /// A checkpoint is wanted whatever the timer says.
  void request(CheckpointReason reason);
  /// Triggers if something is due.
  void on_turn(Now now);
  int64_t next_deadline_boot_ms(Now now) const;

  bool in_flight() const { return in_flight_; }
  bool requested() const { return requested_ != CheckpointReason::None; }
  uint64_t records_since_barrier() const { return records_; }
  CheckpointStatus status(Now now) const;

  /// Ids that one reservation covers.
  static constexpr uint64_t id_block = 1000;

 private:
  CheckpointReason due(Now now) const;
  void trigger(CheckpointReason reason, Now now);
  void run(CheckpointStore& store) override;
  void done(Now now) override;
  bool wants_housekeeping() const override { return result_.ok(); }

  CheckpointPolicy policy_;
  ManifestCodec& codec_;
  CheckpointOwner& owner_;
  StorageExecutor* executor_ = nullptr;

  Snapshot snapshot_;
  Manifest manifest_;
  ByteWriter manifest_bytes_;
  CheckpointWrite write_;
  Status result_;

  bool in_flight_ = false;
  bool overdue_told_ = false;
  CheckpointReason requested_ = CheckpointReason::None;
  uint64_t records_ = 0;
  uint64_t next_id_ = 1;
  uint64_t reserved_id_ = 0;
  int64_t triggered_boot_ms_ = 0;
  int64_t completed_boot_ms_ = 0;
  int64_t retry_boot_ms_ = 0;
  int64_t retry_pause_ms_ = 0;
  CheckpointStatus status_;
};

}  // namespace weir
