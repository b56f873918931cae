#include "agent/runtime/storage_thread.h"

#include <ctime>

#include "agent/base/log.h"

namespace weir {

void StorageThread::keep_house() {
  const Status status = store_.after_commit();
  if (!status.ok() && house_is_kept_)
    log(LogLevel::Warning, "storage: moving the write-ahead log into the database failed: %s (%d)", status.text(),
        status.detail());
  house_is_kept_ = status.ok();
}

int64_t StorageThread::boot_us() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

}  // namespace weir
