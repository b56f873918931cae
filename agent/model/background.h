// The seam to threads that may wait for a disk: a job is worked on one of them, then its done() is called on the reactor
// thread.
#pragma once

#include "agent/base/clock.h"

namespace weir {

/// Owned by whoever submits it; must stay alive and untouched from submit() until done().
class BackgroundJob {
 public:
  virtual ~BackgroundJob() = default;
  /// On the other thread.
  virtual void work() = 0;
  /// On the reactor thread.
  virtual void done(Now now) = 0;
  /// Whether the thread may do its housekeeping after this job was announced. Asked on the other thread, before done().
  virtual bool wants_housekeeping() const { return false; }

 private:
  friend class WorkerThread;
  BackgroundJob* next_ = nullptr;
};

/// Jobs run one at a time, in the order of submission.
class BackgroundExecutor {
 public:
  virtual ~BackgroundExecutor() = default;
  virtual void submit(BackgroundJob& job) = 0;
};

}  // namespace weir
