// StorageThread: the thread that owns the store while the agent runs. A slow fdatasync holds up only the jobs behind it, never
// the reactor.
#pragma once

#include "agent/runtime/storage_executor.h"
#include "agent/runtime/worker_thread.h"

namespace weir {

class StorageThread final : public StorageExecutor, private Housekeeper {
 public:
  StorageThread(CheckpointStore& store, Pulse& pulse) : store_(store), thread_("weir-storage", pulse, this) {}

  Status start(Poller& poller) { return thread_.start(poller); }
  void stop() { thread_.stop(); }
  void submit(StorageJob& job) override {
    job.store_ = &store_;
    thread_.submit(job);
  }
  BackgroundExecutor* background() override { return &thread_; }
  void interrupt() override { store_.interrupt(); }
  int64_t boot_us() override;

 private:
  void keep_house() override;

  CheckpointStore& store_;
  bool house_is_kept_ = true;  // what went wrong with it is said once
  WorkerThread thread_;
};

}  // namespace weir
