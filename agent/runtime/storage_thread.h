// StorageThread: the thread that owns the store while the agent runs. A slow fdatasync holds up only the jobs behind it, never
// the reactor. The queue is an intrusive list under a mutex: it is touched once per checkpoint, not per record.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "agent/model/poller.h"
#include "agent/runtime/storage_executor.h"

namespace weir {

class StorageThread final : public StorageExecutor, private PollHandler {
 public:
  explicit StorageThread(CheckpointStore& store) : store_(store) {}
  /// Stops: what was submitted is still run, but no longer announced.
  ~StorageThread() override;

  /// Starts the thread and asks `poller` for the wake-ups that lead to done().
  Status start(Poller& poller);
  void stop();

  void submit(StorageJob& job) override;
  void interrupt() override { store_.interrupt(); }
  int64_t boot_us() override;

 private:
  struct Queue {
    StorageJob* first = nullptr;
    StorageJob* last = nullptr;
    void push(StorageJob& job);
    StorageJob* pop();
  };
  void work();
  void on_ready(uint32_t events, Now now) override;

  CheckpointStore& store_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Queue submitted_;
  Queue finished_;
  bool stopping_ = false;
  int event_ = -1;
  Poller* poller_ = nullptr;
};

}  // namespace weir
