// StorageExecutor: the seam between the reactor and the thread that may wait for a disk. A job runs on the storage side with
// the store in hand, then its done() is called on the reactor thread. Jobs run one at a time, in the order of submission.
#pragma once

#include "agent/base/clock.h"
#include "agent/model/checkpoint_store.h"

namespace weir {

/// Owned by whoever submits it; must stay alive and untouched from submit() until done().
class StorageJob {
 public:
  virtual ~StorageJob() = default;
  /// On the storage thread.
  virtual void run(CheckpointStore& store) = 0;
  /// On the reactor thread.
  virtual void done(Now now) = 0;
  /// Whether the store may do its housekeeping after this job was announced. Asked on the storage thread before done().
  virtual bool wants_housekeeping() const { return false; }

 private:
  friend class StorageThread;
  StorageJob* next_ = nullptr;
};

class StorageExecutor {
 public:
  virtual ~StorageExecutor() = default;
  virtual void submit(StorageJob& job) = 0;
  /// The job that runs is to give up as soon as it can, and fails then. From the reactor thread.
  virtual void interrupt() {}
  /// Microseconds on a clock that never jumps, from any thread: for saying how long a part of a checkpoint took.
  virtual int64_t boot_us() { return 0; }
};

}  // namespace weir
