// WorkerThread: a thread for what waits for a disk, and the way back to the reactor. There is one for the store and one for
// the journals: a slow checkpoint must not hold up the group commit that acknowledgements wait for. The queue is an intrusive
// list under a mutex: it is touched once per job, not per record.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "agent/model/background.h"
#include "agent/model/poller.h"
#include "agent/runtime/pulse.h"

namespace weir {

/// What a thread does after a job was announced, if the job wants it.
class Housekeeper {
 public:
  virtual ~Housekeeper() = default;
  virtual void keep_house() = 0;
};

class WorkerThread final : public BackgroundExecutor, private PollHandler {
 public:
  /// `name`: a constant of at most 15 bytes, under which the system lists the thread.
  /// `pulse`: something is expected of it from the submission of a job until it, and the housekeeping after it, is worked.
  WorkerThread(const char* name, Pulse& pulse, Housekeeper* housekeeper = nullptr)
      : name_(name), housekeeper_(housekeeper), pulse_(pulse) {}
  /// Stops: what was submitted is still worked, but no longer announced.
  ~WorkerThread() override;

  /// Starts the thread and asks `poller` for the wake-ups that lead to done().
  Status start(Poller& poller);
  void stop();

  void submit(BackgroundJob& job) override;

 private:
  struct Queue {
    BackgroundJob* first = nullptr;
    BackgroundJob* last = nullptr;
    void push(BackgroundJob& job);
    BackgroundJob* pop();
  };
  void run();
  void on_ready(uint32_t events, Now now) override;

  const char* name_;
  Housekeeper* housekeeper_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable wake_;
  Queue submitted_;
  Queue finished_;
  bool stopping_ = false;
  int event_ = -1;
  Poller* poller_ = nullptr;
  Pulse& pulse_;
};

}  // namespace weir
