// StorageExecutor: the seam between the reactor and the thread that owns the store. A job runs there with the store in hand,
// then its done() is called on the reactor thread. Jobs run one at a time, in the order of submission.
#pragma once

#include "agent/model/background.h"
#include "agent/model/checkpoint_store.h"

namespace weir {

class StorageJob : public BackgroundJob {
 public:
  /// On the storage thread.
  virtual void run(CheckpointStore& store) = 0;

 private:
  friend class StorageThread;
  void work() final { run(*store_); }
  CheckpointStore* store_ = nullptr;
};

class StorageExecutor {
 public:
  virtual ~StorageExecutor() = default;
  virtual void submit(StorageJob& job) = 0;
  /// The thread itself, for jobs that need no store and wait in the same queue; nullptr: there is none.
  virtual BackgroundExecutor* background() { return nullptr; }
  /// The job that runs is to give up as soon as it can, and fails then. From the reactor thread.
  virtual void interrupt() {}
  /// Microseconds on a clock that never jumps, from any thread: for saying how long a part of a checkpoint took.
  virtual int64_t boot_us() { return 0; }
};

}  // namespace weir
