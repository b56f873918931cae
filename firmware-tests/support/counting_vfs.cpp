#include "firmware-tests/support/counting_vfs.h"

#include <sqlite3.h>
#include <time.h>

#include <cstddef>

#include "agent/base/assert.h"

namespace weir::test {
namespace {

DiskCost cost;
uint64_t least_sync_us = 0;
sqlite3_vfs* beneath = nullptr;
sqlite3_vfs counting_vfs{};

/// SQLite reserves szOsFile bytes for each open file: ours, and behind it the file of the layer beneath.
struct CountedFile {
  sqlite3_file base;
  bool wal;
};
static_assert(sizeof(CountedFile) % alignof(std::max_align_t) == 0);

sqlite3_file* real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<uint8_t*>(file) + sizeof(CountedFile));
}

int on_close(sqlite3_file* file) { return real(file)->pMethods->xClose(real(file)); }
int on_read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 at) {
  return real(file)->pMethods->xRead(real(file), to, bytes, at);
}
int on_write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
  uint64_t& counter = reinterpret_cast<CountedFile*>(file)->wal ? cost.wal_bytes : cost.database_bytes;
  counter += static_cast<uint64_t>(bytes);
  return real(file)->pMethods->xWrite(real(file), from, bytes, at);
}
int on_truncate(sqlite3_file* file, sqlite3_int64 bytes) { return real(file)->pMethods->xTruncate(real(file), bytes); }
int on_sync(sqlite3_file* file, int flags) {
  ++cost.syncs;
  timespec start{};
  clock_gettime(CLOCK_MONOTONIC, &start);
  const int code = real(file)->pMethods->xSync(real(file), flags);
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const int64_t spent_ns = (now.tv_sec - start.tv_sec) * 1'000'000'000 + now.tv_nsec - start.tv_nsec;
  if (const int64_t left_ns = static_cast<int64_t>(least_sync_us) * 1000 - spent_ns; left_ns > 0) {
    const timespec rest{static_cast<time_t>(left_ns / 1'000'000'000), static_cast<long>(left_ns % 1'000'000'000)};
    nanosleep(&rest, nullptr);
  }
  return code;
}
int on_size(sqlite3_file* file, sqlite3_int64* bytes) { return real(file)->pMethods->xFileSize(real(file), bytes); }
int on_lock(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
int on_unlock(sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
int on_check_lock(sqlite3_file* file, int* held) { return real(file)->pMethods->xCheckReservedLock(real(file), held); }
int on_control(sqlite3_file* file, int what, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), what, argument);
}
int on_sector(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int on_device(sqlite3_file* file) { return real(file)->pMethods->xDeviceCharacteristics(real(file)); }

/// Version 1: no shared memory and no memory map, which an exclusive connection does not use.
const sqlite3_io_methods methods = {1,       on_close,  on_read,       on_write,   on_truncate, on_sync,   on_size,
                                    on_lock, on_unlock, on_check_lock, on_control, on_sector,   on_device, nullptr,
                                    nullptr, nullptr,   nullptr,       nullptr,    nullptr};

int on_open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = beneath->xOpen(beneath, name, real(file), flags, out_flags);
  file->pMethods = real(file)->pMethods == nullptr ? nullptr : &methods;
  reinterpret_cast<CountedFile*>(file)->wal = (flags & SQLITE_OPEN_WAL) != 0;
  return code;
}

}  // namespace

void install_counting_vfs(uint64_t sync_us) {
  WEIR_ASSERT(beneath == nullptr);
  least_sync_us = sync_us;
  beneath = sqlite3_vfs_find(nullptr);
  WEIR_ASSERT(beneath != nullptr);
  counting_vfs = *beneath;
  counting_vfs.zName = "counting";
  counting_vfs.pNext = nullptr;
  counting_vfs.szOsFile = static_cast<int>(sizeof(CountedFile)) + beneath->szOsFile;
  counting_vfs.xOpen = on_open;
  const int code = sqlite3_vfs_register(&counting_vfs, 1);
  WEIR_ASSERT(code == SQLITE_OK);
}

DiskCost disk_cost() { return cost; }

}  // namespace weir::test
