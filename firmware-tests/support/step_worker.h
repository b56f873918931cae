// StepWorker: a BackgroundExecutor whose other thread is the test: jobs are worked and announced when it says so.
#pragma once

#include <deque>

#include "agent/model/background.h"

namespace weir {

class StepWorker final : public BackgroundExecutor {
 public:
  void submit(BackgroundJob& job) override { jobs_.push_back(&job); }
  bool idle() const { return jobs_.empty(); }
  /// Works the oldest job without a word of it: what a crash between the two leaves behind.
  void work_only() {
    jobs_.front()->work();
    jobs_.pop_front();
  }
  void step(Now now = {}) {
    BackgroundJob* job = jobs_.front();
    jobs_.pop_front();
    job->work();
    job->done(now);
  }
  void run(Now now = {}) {
    while (!idle()) step(now);
  }

 private:
  std::deque<BackgroundJob*> jobs_;
};

}  // namespace weir
