#include "agent/runtime/worker_thread.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "agent/base/log.h"

namespace weir {

void WorkerThread::Queue::push(BackgroundJob& job) {
  job.next_ = nullptr;
  if (last != nullptr) {
    last->next_ = &job;
  } else {
    first = &job;
  }
  last = &job;
}

BackgroundJob* WorkerThread::Queue::pop() {
  BackgroundJob* job = first;
  if (job == nullptr) return nullptr;
  first = job->next_;
  if (first == nullptr) last = nullptr;
  return job;
}

WorkerThread::~WorkerThread() { stop(); }

Status WorkerThread::start(Poller& poller) {
  event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_ < 0) return {Code::Io, "cannot create an event descriptor", errno};
  WEIR_TRY(poller.watch(event_, poll_in, *this));
  poller_ = &poller;
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), name_);
    run();
  });
  return {};
}

void WorkerThread::stop() {
  if (!thread_.joinable()) return;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  poller_->forget(event_);
  close(event_);
  event_ = -1;
}

void WorkerThread::submit(BackgroundJob& job) {
  pulse_.expect();
  {
    std::lock_guard lock(mutex_);
    submitted_.push(job);
  }
  wake_.notify_one();
}

void WorkerThread::run() {
  pulse_.adopt_this_thread();
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || submitted_.first != nullptr; });
    BackgroundJob* job = submitted_.pop();
    if (job == nullptr) return;
    lock.unlock();
    job->work();
    const bool housekeeping = housekeeper_ != nullptr && job->wants_housekeeping();
    lock.lock();
    finished_.push(*job);  // from here on the job belongs to the reactor thread again
    lock.unlock();
    uint64_t one = 1;
    if (write(event_, &one, sizeof one) < 0) log(LogLevel::Error, "%s: cannot wake the reactor: errno %d", name_, errno);
    if (housekeeping) housekeeper_->keep_house();
    pulse_.done();
    lock.lock();
  }
}

void WorkerThread::on_ready(uint32_t, Now now) {
  uint64_t count;
  if (read(event_, &count, sizeof count) < 0 && errno != EAGAIN)
    log(LogLevel::Error, "%s: eventfd read: errno %d", name_, errno);
  while (true) {
    BackgroundJob* job;
    {
      std::lock_guard lock(mutex_);
      job = finished_.pop();
    }
    if (job == nullptr) return;
    job->done(now);
  }
}

}  // namespace weir
