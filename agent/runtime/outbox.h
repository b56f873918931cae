// Outbox: results wait here for their checkpoint, and after it for the other side.
//
//   append() -> pending half --barrier--> one blob in the checkpoint's transaction --commit--> publishing half -> Publisher
//                                                        \-> waits on disk while older results are still on their way
//
// A blob's row is deleted by the first checkpoint after all its results were acknowledged; a crash before that publishes the
// blob again, with the same ids. The memory is two halves, fixed; what the link cannot take waits on disk, up to a bound.
// Nothing is published that is not durable. Results leave in the order in which they were made. Reactor thread only.
#pragma once

#include <array>

#include "agent/base/arena.h"
#include "agent/model/publisher.h"
#include "agent/model/stateful.h"
#include "agent/runtime/storage_executor.h"

namespace weir {

/// What the pipeline is to its outbox.
class OutboxOwner {
 public:
  virtual ~OutboxOwner() = default;
  /// The other side will never take this row. False: there is no room to set it aside now, it will be offered again.
  virtual bool on_row_rejected(const OutboxRow& row, const char* reason, Now now) = 0;
  /// Stored results cannot be read back; the pipeline must stop and recover.
  virtual void on_outbox_failed(Status status, Now now) = 0;
};

struct OutboxLimits {
  size_t memory = 0;       // bytes, both halves
  uint64_t max_bytes = 0;  // results on disk that were not acknowledged yet
  size_t row_bytes_max = 0;
};

class Outbox final : public Stateful, public PublisherHandler {
 public:
  Outbox(Arena& arena, std::string_view pool, OutboxLimits limits, Publisher& publisher, OutboxOwner& owner);

  /// The executor joins later than construction: a plan has none.
  void connect(StorageExecutor& executor) { executor_ = &executor; }

  /// Whether `rows` more of the largest kind fit before the next checkpoint.
  bool has_room(size_t rows) const;
  /// Requires has_room(1).
  void append(const OutboxRow& row);
  /// Results that need a checkpoint, or rows that the next checkpoint may delete.
  /// Whether a read is at the storage thread.
  bool reading() const { return read_job_.in_flight; }
  bool dirty() const { return pending_.size() > 0 || confirmed_checkpoint_ > trimmed_checkpoint_; }
  bool pending_empty() const { return pending_.size() == 0; }
  uint64_t pending_rows() const { return pending_rows_; }
  /// Nothing waits, neither in memory nor on disk.
  bool drained() const { return pending_.size() == 0 && !publishing_.active && waiting_blobs_ == 0; }
  /// A half is more than half full: time for a checkpoint.
  bool wants_checkpoint() const { return pending_.size() > limits_.memory / 4; }
  uint64_t rows() const { return pending_rows_ + publishing_.rows - publishing_.answered; }
  uint64_t bytes() const { return pending_.size() + disk_bytes_; }
  uint64_t waiting_blobs() const { return waiting_blobs_; }
  /// Begins with what a restart found on disk.
  void start(Now now);
  /// After a checkpoint: what could not be set aside is offered again, then what is new.
  void resume(Now now);
  /// At recovery, after the own blob: results of this checkpoint wait on disk.
  Status announce(uint64_t checkpoint_id, size_t bytes);

  std::string_view uid() const override { return "sink"; }
  std::string_view layout() const override { return "outbox 1"; }
  SnapshotBounds snapshot_bounds() const override { return {64, 2, 1}; }
  void snapshot(Snapshot& snapshot) override;
  void snapshot_done(uint64_t checkpoint_id, bool committed) override;
  Status restore(const StoredBlob& blob) override;
  Status restore_finished() override { return {}; }

  void on_publisher_ready(Now now) override;
  void on_published(uint32_t ticket, Now now) override;
  void on_rejected(uint32_t ticket, const char* reason, Now now) override;

 private:
  static constexpr size_t retries_max = 128;  // more than any publisher keeps in flight

  struct Publishing {
    bool active = false;
    std::span<uint8_t> half;
    size_t size = 0;
    size_t next = 0;  // offset of the first row not handed over
    uint64_t checkpoint_id = 0;
    uint64_t rows = 0;      // handed over
    uint64_t answered = 0;  // of those
  };

  struct ReadJob final : StorageJob {
    explicit ReadJob(Outbox& owner) : outbox(owner) {}
    void run(CheckpointStore& store) override;
    void done(Now now) override;
    Outbox& outbox;
    uint64_t after = 0;
    bool in_flight = false;
    Status status;
    uint64_t checkpoint_id = 0;
    size_t bytes = 0;
  };

  static bool read_row(Bytes bytes, size_t& offset, OutboxRow& row);
  void pump(Now now);
  bool pump_retries(Now now);
  void answered_one();
  void finish_blob();
  void read_next();

  OutboxLimits limits_;
  Publisher& publisher_;
  OutboxOwner& owner_;
  StorageExecutor* executor_ = nullptr;

  ByteWriter pending_;
  std::span<uint8_t> pending_half_;
  uint64_t pending_rows_ = 0;
  Publishing publishing_;
  ReadJob read_job_;
  std::array<uint32_t, retries_max> retries_{};  // offsets of rows to hand over again
  size_t retry_count_ = 0;

  uint64_t waiting_blobs_ = 0;         // on disk, not in the publishing half
  uint64_t disk_bytes_ = 0;            // of all blobs that are not acknowledged
  uint64_t confirmed_checkpoint_ = 0;  // all results up to this checkpoint were acknowledged
  uint64_t trimming_checkpoint_ = 0;
  uint64_t trimmed_checkpoint_ = 0;
};

}  // namespace weir
