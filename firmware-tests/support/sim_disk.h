// SimDisk: the disk below SQLite, and below a journal, in tests, in memory: while it lives every database of the program is
// opened on it. It forgets what was not synced when the power is cut, tears sectors, runs full, fails the n-th operation of a
// kind, and can be told to break its promises. From the operation on at which the power goes every call fails, so that the
// process above can be taken down in order; power_on() is the next boot.
//
// It knows no shared memory: databases must be opened in exclusive mode. One at a time, one thread. What weir itself puts into
// the state directory (its lock, its note of the newest checkpoints) stays on the real file system, but the program's fsync,
// which weir uses for directories alone, makes names on this disk durable.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>

#include "firmware-tests/support/volatile_file.h"
#include "storage/block_file.h"

struct sqlite3_file;
struct sqlite3_vfs;

namespace weir {

enum class DiskOperation : uint8_t { Open, Read, Write, Sync, Truncate, Delete };
constexpr size_t disk_operation_count = 6;
const char* disk_operation_name(DiskOperation operation);

/// Which syncs the disk carries out; of the others it only says so.
enum class HonestSyncs : uint8_t { All, NotOfLogs, NotOfNames, NotOfBlockFiles, None };

class SimDisk {
 public:
  explicit SimDisk(uint64_t seed);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  SectorRules sectors;
  HonestSyncs honest_syncs = HonestSyncs::All;
  /// What the disk tells SQLite, whatever the database was opened with and whatever `sectors` says.
  bool claims_powersafe_overwrite = false;
  /// A write that would make all files together longer than that fails for want of room.
  uint64_t bytes_max = UINT64_MAX;

  /// The power is cut at the operation with this number, counted from now; 0: never.
  void cut_power_at(uint64_t operation) { left_ = operation; }
  bool power_is_off() const { return off_; }
  /// The next boot: unsynced changes, of files and of their names, are decided upon.
  void power_on();

  /// The n-th operation of this kind from now, counted from 1, fails; and all after it if `persistent`.
  void fail(DiskOperation operation, uint64_t nth, bool persistent);
  void fail_no_more() { failing_ = {}; }
  /// Since fail() was called.
  bool failure_fired() const { return failing_.fired; }

  /// What fsync does while a disk lives: makes the names of files durable, and the end of those deleted. False: it failed.
  bool sync_names();
  static SimDisk* current();

  /// A file of weir's own beside the databases; made, with its name durable, if there is none. `shift` moves everything by so
  /// many bytes: writes that are aligned above are not so below. It must not outlive the disk.
  std::unique_ptr<BlockFile> open_block_file(const std::string& path, uint64_t bytes, uint64_t shift = 0);

  uint64_t operations() const { return operations_; }
  uint64_t count(DiskOperation operation) const { return counts_[static_cast<size_t>(operation)]; }
  uint64_t bytes() const;
  bool exists(const std::string& path) const { return files_.contains(path); }
  const std::vector<uint8_t>& content(const std::string& path) const { return files_.at(path)->bytes.current(); }

 private:
  friend struct SimVfs;
  friend class SimBlockFile;
  struct File {
    VolatileFile bytes;
    bool name_is_durable = false;
  };
  struct Failure {
    DiskOperation operation = DiskOperation::Open;
    uint64_t left = 0;  // 0: none is wanted
    bool persistent = false;
    bool fired = false;
  };
  /// Counts the operation; whether it may go on.
  bool operate(DiskOperation operation);

  Random random_;
  std::map<std::string, std::shared_ptr<File>> files_;
  std::map<std::string, std::shared_ptr<File>> deleted_;  // whose end is not durable yet
  Failure failing_;
  std::array<uint64_t, disk_operation_count> counts_{};
  uint64_t operations_ = 0;
  uint64_t left_ = 0;
  bool off_ = false;
  sqlite3_vfs* before_ = nullptr;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace weir
