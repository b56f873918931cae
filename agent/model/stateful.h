// Stateful: a part of a pipeline whose state a checkpoint holds: the source, a keyed step, the sink. Reactor thread only.
#pragma once

#include <cstddef>
#include <string_view>

#include "agent/base/status.h"
#include "agent/model/snapshot.h"
#include "agent/model/state_layout.h"

namespace weir {

/// What a part needs in the snapshot buffer at most; the planner adds these up.
struct SnapshotBounds {
  size_t bytes = 0;  // put through Snapshot::open
  size_t blobs = 0;
  size_t trims = 0;
  size_t entry_bytes = 0;  // of keyed state: what one record that changes it adds
  size_t blob_bytes = 0;   // the largest single blob; 0: as large as all of them
};

/// What has changed since the last barrier.
struct StateChanges {
  uint64_t keys = 0;
  uint64_t bytes = 0;  // that a checkpoint would copy
};

/// A blob as it comes back from the store.
struct StoredBlob {
  BlobKind kind = BlobKind::Operator;
  uint32_t index = 0;
  uint64_t checkpoint_id = 0;
  Bytes bytes;
};

class Stateful {
 public:
  virtual ~Stateful() = default;

  /// Names the state across restarts and changes of the configuration: a step's id, "source", "sink".
  virtual std::string_view uid() const = 0;
  /// The name that its state had before it was renamed; empty: none.
  virtual std::string_view previous_uid() const { return {}; }
  /// What the stored bytes are: the text of a StateLayout. It changes when stored bytes would be read wrongly; state whose
  /// layout differs is converted where that loses nothing, and refused otherwise.
  virtual std::string_view layout() const = 0;
  virtual SnapshotBounds snapshot_bounds() const = 0;
  /// Of keyed state; a part without has none to tell.
  virtual StateChanges changes() const { return {}; }

  /// The barrier: copy what changed since the last committed checkpoint. Must write exactly one BlobKind::Operator blob.
  /// Called again, for a new id, only after snapshot_done.
  virtual void snapshot(Snapshot& snapshot) = 0;
  /// The checkpoint is durable, or it failed and what was copied is changed state again.
  virtual void snapshot_done(uint64_t checkpoint_id, bool committed) = 0;

  /// Before the first restore(): what comes was stored in this layout, or by another part, and is to be taken over. Whatever
  /// this part has stored itself is superseded then. Code::Incompatible if it cannot be.
  virtual Status adopt(const StateLayout& stored) {
    (void)stored;
    return {Code::Incompatible, "its state cannot be converted"};
  }
  /// Called at start for each stored blob of this part: first Operator, then Base by index, Delta by checkpoint and index,
  /// SessionTail by checkpoint. (Outbox blobs are not loaded, only announced: see RestoreHandler.) Bytes are checked
  /// against their CRC already; a malformed blob is Code::Corrupt.
  virtual Status restore(const StoredBlob& blob) = 0;
  /// After the last blob; also when there was none.
  virtual Status restore_finished() = 0;

  uint32_t op() const { return op_; }
  void set_op(uint32_t op) { op_ = op; }

 private:
  uint32_t op_ = 0;
};

}  // namespace weir
