#include "agent/runtime/storage_thread.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "agent/base/log.h"

namespace weir {

void StorageThread::Queue::push(StorageJob& job) {
  job.next_ = nullptr;
  if (last != nullptr) {
    last->next_ = &job;
  } else {
    first = &job;
  }
  last = &job;
}

StorageJob* StorageThread::Queue::pop() {
  StorageJob* job = first;
  if (job == nullptr) return nullptr;
  first = job->next_;
  if (first == nullptr) last = nullptr;
  return job;
}

StorageThread::~StorageThread() { stop(); }

Status StorageThread::start(Poller& poller) {
  event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_ < 0) return {Code::Io, "cannot create an event descriptor", errno};
  WEIR_TRY(poller.watch(event_, poll_in, *this));
  poller_ = &poller;
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "weir-storage");
    work();
  });
  return {};
}

void StorageThread::stop() {
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

void StorageThread::submit(StorageJob& job) {
  {
    std::lock_guard lock(mutex_);
    submitted_.push(job);
  }
  wake_.notify_one();
}

int64_t StorageThread::boot_us() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

void StorageThread::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || submitted_.first != nullptr; });
    StorageJob* job = submitted_.pop();
    if (job == nullptr) return;
    lock.unlock();
    job->run(store_);
    bool housekeeping = job->wants_housekeeping();
    lock.lock();
    finished_.push(*job);  // from here on the job belongs to the reactor thread again
    lock.unlock();
    uint64_t one = 1;
    if (write(event_, &one, sizeof one) < 0) log(LogLevel::Error, "storage: cannot wake the reactor: errno %d", errno);
    if (housekeeping) {
      if (Status status = store_.after_commit(); !status.ok())
        log(LogLevel::Warning, "storage: moving the write-ahead log into the database failed: %s (%d)", status.text(),
            status.detail());
    }
    lock.lock();
  }
}

void StorageThread::on_ready(uint32_t, Now now) {
  uint64_t count;
  if (read(event_, &count, sizeof count) < 0 && errno != EAGAIN) log(LogLevel::Error, "storage: eventfd read: errno %d", errno);
  while (true) {
    StorageJob* job;
    {
      std::lock_guard lock(mutex_);
      job = finished_.pop();
    }
    if (job == nullptr) return;
    job->done(now);
  }
}

}  // namespace weir
