#include "firmware-tests/support/sim_disk.h"

#include <sqlite3.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>

#include "agent/base/assert.h"

namespace weir {
namespace {

constexpr const char* name_of_vfs = "sim-disk";
constexpr std::array<const char*, disk_operation_count> operation_names = {"open", "read",     "write",
                                                                           "sync", "truncate", "delete"};

}  // namespace

const char* disk_operation_name(DiskOperation operation) { return operation_names[static_cast<size_t>(operation)]; }

/// What SQLite calls. Its structures are C's: each function finds its disk in the file or in the VFS.
struct SimVfs {
  struct Handle {
    sqlite3_file base;
    SimDisk* disk;
    std::shared_ptr<SimDisk::File> file;  // an open file outlives its name
    bool is_log;
    bool powersafe_overwrite;
    int keeps_log;  // SQLITE_FCNTL_PERSIST_WAL
  };

  static Handle& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
  static SimDisk& disk_of(sqlite3_vfs* vfs) { return *static_cast<SimDisk*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    file->pMethods = nullptr;
    SimDisk& disk = disk_of(vfs);
    if (!disk.operate(DiskOperation::Open)) return SQLITE_CANTOPEN;
    const std::string path = name == nullptr ? "temporary" : name;
    auto found = disk.files_.find(path);
    if (found == disk.files_.end()) {
      if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
      found = disk.files_.emplace(path, std::make_shared<SimDisk::File>()).first;
    }
    const bool powersafe =
        name == nullptr || sqlite3_uri_boolean((flags & SQLITE_OPEN_URI) != 0 ? name : nullptr, "psow", 1) != 0;
    new (file) Handle{{&methods}, &disk, found->second, (flags & SQLITE_OPEN_WAL) != 0, powersafe, 0};
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  }

  static int close(sqlite3_file* file) {
    std::destroy_at(&of(file));
    return SQLITE_OK;
  }

  static int read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 at) {
    Handle& handle = of(file);
    if (!handle.disk->operate(DiskOperation::Read)) return SQLITE_IOERR_READ;
    const std::vector<uint8_t>& content = handle.file->bytes.current();
    const auto wanted = static_cast<size_t>(bytes);
    const auto from = std::min(static_cast<size_t>(at), content.size());
    const size_t count = std::min(wanted, content.size() - from);
    auto* target = static_cast<uint8_t*>(to);
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(from), count, target);
    std::fill(target + count, target + wanted, uint8_t{0});
    return count == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }

  static int write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 at) {
    Handle& handle = of(file);
    SimDisk& disk = *handle.disk;
    const bool was_off = disk.off_;
    const bool on = disk.operate(DiskOperation::Write);
    // The write at which the power goes is on its way; one that fails for another reason is not.
    if (was_off || (!on && !disk.off_)) return SQLITE_IOERR_WRITE;
    const uint64_t end = static_cast<uint64_t>(at) + static_cast<uint64_t>(bytes);
    const uint64_t present = handle.file->bytes.current().size();
    if (end > present && end - present > disk.bytes_max - std::min(disk.bytes_max, disk.bytes())) return SQLITE_FULL;
    handle.file->bytes.write(static_cast<uint64_t>(at), {static_cast<const uint8_t*>(from), static_cast<size_t>(bytes)});
    return on ? SQLITE_OK : SQLITE_IOERR_WRITE;
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 bytes) {
    Handle& handle = of(file);
    if (!handle.disk->operate(DiskOperation::Truncate)) return SQLITE_IOERR_TRUNCATE;
    handle.file->bytes.truncate(static_cast<uint64_t>(bytes));
    return SQLITE_OK;
  }

  static int sync(sqlite3_file* file, int) {
    Handle& handle = of(file);
    SimDisk& disk = *handle.disk;
    if (!disk.operate(DiskOperation::Sync)) return SQLITE_IOERR_FSYNC;
    if (disk.honest_syncs == HonestSyncs::None || (disk.honest_syncs == HonestSyncs::NotOfLogs && handle.is_log))
      return SQLITE_OK;
    handle.file->bytes.sync();
    handle.file->name_is_durable = true;
    return SQLITE_OK;
  }

  static int file_size(sqlite3_file* file, sqlite3_int64* bytes) {
    if (of(file).disk->off_) return SQLITE_IOERR_FSTAT;
    *bytes = static_cast<sqlite3_int64>(of(file).file->bytes.current().size());
    return SQLITE_OK;
  }

  // One process, one connection: locks are never in anybody's way.
  static int lock(sqlite3_file*, int) { return SQLITE_OK; }
  static int check_reserved_lock(sqlite3_file*, int* locked) {
    *locked = 0;
    return SQLITE_OK;
  }

  static int file_control(sqlite3_file* file, int operation, void* argument) {
    if (operation != SQLITE_FCNTL_PERSIST_WAL) return SQLITE_NOTFOUND;
    int& wanted = *static_cast<int*>(argument);
    if (wanted < 0) {
      wanted = of(file).keeps_log;
    } else {
      of(file).keeps_log = wanted;
    }
    return SQLITE_OK;
  }

  // As SQLite's own VFS says it on Linux.
  static int sector_size(sqlite3_file*) { return 4096; }
  static int device_characteristics(sqlite3_file* file) {
    const bool powersafe = of(file).powersafe_overwrite || of(file).disk->claims_powersafe_overwrite;
    return powersafe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
  }

  static int delete_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
    SimDisk& disk = disk_of(vfs);
    if (!disk.operate(DiskOperation::Delete)) return SQLITE_IOERR_DELETE;
    auto found = disk.files_.find(name);
    if (found == disk.files_.end()) return SQLITE_IOERR_DELETE_NOENT;
    if (sync_directory == 0 && found->second->name_is_durable) disk.deleted_[name] = found->second;
    disk.files_.erase(found);
    return SQLITE_OK;
  }

  static int access(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
    SimDisk& disk = disk_of(vfs);
    if (disk.off_) return SQLITE_IOERR_ACCESS;
    auto found = disk.files_.find(name);
    *result = found != disk.files_.end();
    // SQLite takes an empty file for one that is not there, and so does its own VFS when asked whether it exists.
    if (*result != 0 && flags == SQLITE_ACCESS_EXISTS) *result = !found->second->bytes.current().empty();
    return SQLITE_OK;
  }

  static const sqlite3_io_methods methods;
};

const sqlite3_io_methods SimVfs::methods = {1,
                                            close,
                                            read,
                                            write,
                                            truncate,
                                            sync,
                                            file_size,
                                            lock,
                                            lock,
                                            check_reserved_lock,
                                            file_control,
                                            sector_size,
                                            device_characteristics,
                                            nullptr,
                                            nullptr,
                                            nullptr,
                                            nullptr,
                                            nullptr,
                                            nullptr};

/// A process's view of a file that is no database.
class SimBlockFile final : public BlockFile {
 public:
  SimBlockFile(SimDisk& disk, std::shared_ptr<SimDisk::File> file, uint64_t bytes, uint64_t shift)
      : disk_(disk), file_(std::move(file)), bytes_(bytes), shift_(shift) {}
  uint64_t size() const override { return bytes_; }
  Status read(uint64_t at, std::span<uint8_t> to) override {
    if (!disk_.operate(DiskOperation::Read)) return {Code::Io, "the simulated disk cannot be read"};
    std::copy_n(file_->bytes.current().begin() + static_cast<std::ptrdiff_t>(at + shift_), to.size(), to.begin());
    return {};
  }
  Status write(uint64_t at, Bytes from) override {
    const bool was_off = disk_.off_;
    const bool on = disk_.operate(DiskOperation::Write);
    // As in SimVfs::write.
    if (!was_off && (on || disk_.off_)) file_->bytes.write(at + shift_, from);
    return on ? Status() : Status(Code::Io, "the simulated disk cannot be written");
  }
  Status sync() override {
    if (!disk_.operate(DiskOperation::Sync)) return {Code::Io, "the simulated disk cannot be synced"};
    if (disk_.honest_syncs != HonestSyncs::None && disk_.honest_syncs != HonestSyncs::NotOfBlockFiles) file_->bytes.sync();
    return {};
  }

 private:
  SimDisk& disk_;
  std::shared_ptr<SimDisk::File> file_;
  uint64_t bytes_;
  uint64_t shift_;
};

std::unique_ptr<BlockFile> SimDisk::open_block_file(const std::string& path, uint64_t bytes, uint64_t shift) {
  auto found = files_.find(path);
  if (found == files_.end()) {
    found = files_.emplace(path, std::make_shared<File>()).first;
    found->second->bytes = VolatileFile(static_cast<size_t>(bytes + shift));
    found->second->name_is_durable = true;
  }
  return std::make_unique<SimBlockFile>(*this, found->second, bytes, shift);
}

namespace {

SimDisk* current_disk = nullptr;

}  // namespace

SimDisk* SimDisk::current() { return current_disk; }

SimDisk::SimDisk(uint64_t seed) : random_(seed) {
  before_ = sqlite3_vfs_find(nullptr);
  WEIR_ASSERT(current_disk == nullptr && before_ != nullptr);
  current_disk = this;
  // Names, times and randomness remain the system's.
  vfs_ = std::make_unique<sqlite3_vfs>(*before_);
  vfs_->zName = name_of_vfs;
  vfs_->pNext = nullptr;
  vfs_->pAppData = this;
  vfs_->szOsFile = sizeof(SimVfs::Handle);
  vfs_->xOpen = SimVfs::open;
  vfs_->xDelete = SimVfs::delete_file;
  vfs_->xAccess = SimVfs::access;
  const int code = sqlite3_vfs_register(vfs_.get(), 1);
  WEIR_ASSERT(code == SQLITE_OK);
}

SimDisk::~SimDisk() {
  sqlite3_vfs_unregister(vfs_.get());
  sqlite3_vfs_register(before_, 1);
  current_disk = nullptr;
}

uint64_t SimDisk::bytes() const {
  uint64_t sum = 0;
  for (const auto& [name, file] : files_) sum += file->bytes.current().size();
  return sum;
}

bool SimDisk::operate(DiskOperation operation) {
  if (off_) return false;
  ++operations_;
  ++counts_[static_cast<size_t>(operation)];
  if (left_ > 0 && --left_ == 0) off_ = true;
  if (off_) return false;
  if (failing_.operation != operation || failing_.left == 0) return true;
  if (failing_.left > 1) {
    --failing_.left;
    return true;
  }
  failing_.fired = true;
  if (!failing_.persistent) failing_.left = 0;
  return false;
}

void SimDisk::fail(DiskOperation operation, uint64_t nth, bool persistent) { failing_ = {operation, nth, persistent, false}; }

bool SimDisk::sync_names() {
  if (!operate(DiskOperation::Sync)) return false;
  if (honest_syncs == HonestSyncs::NotOfNames || honest_syncs == HonestSyncs::None) return true;
  for (auto& [name, file] : files_) file->name_is_durable = true;
  deleted_.clear();
  return true;
}

void SimDisk::power_on() {
  for (auto& [name, file] : deleted_)
    if (!files_.contains(name) && random_.chance(50)) files_.emplace(name, file);
  deleted_.clear();
  for (auto next = files_.begin(); next != files_.end();) {
    auto file = next++;
    if (!file->second->name_is_durable && random_.chance(50)) {
      files_.erase(file);
      continue;
    }
    file->second->bytes.cut_power(random_, sectors);
    file->second->name_is_durable = true;
  }
  off_ = false;
  left_ = 0;
}

}  // namespace weir

// In place of the C library's. What weir syncs besides is not on the simulated disk.
extern "C" int fdatasync(int descriptor) {
  return weir::SimDisk::current() != nullptr ? 0 : static_cast<int>(syscall(SYS_fdatasync, descriptor));
}

extern "C" int fsync(int descriptor) {
  weir::SimDisk* disk = weir::SimDisk::current();
  if (disk == nullptr) return static_cast<int>(syscall(SYS_fsync, descriptor));
  if (disk->sync_names()) return 0;
  errno = EIO;
  return -1;
}
