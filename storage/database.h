// Database: weir's one connection to its SQLite file. Owns the connection; statements on it must end before it does. Used by
// one thread at a time. It is opened in exclusive mode, so no other program can open the file meanwhile: SQLite before 3.51.3
// can lose commits when a second connection moves the WAL into the database.
//
// The WAL is never moved behind the caller's back: `wal_frames()` says how long it is, and the caller calls `checkpoint_wal`
// when a pause does no harm.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "agent/base/status.h"

struct sqlite3;

namespace weir {

/// What a returned commit survives.
enum class CommitDurability : uint8_t {
  PowerLoss,    // synchronous=FULL: one fdatasync per commit
  ProcessCrash  // synchronous=NORMAL: the newest commits may be lost together when the power goes
};

struct DatabaseSettings {
  std::string path;
  /// Reads an existing file and changes nothing, neither rows nor the length of files.
  bool read_only = false;
  /// A file that is complete in itself and needs no other beside it: no WAL, and whoever may read it may open it.
  bool single_file = false;
  CommitDurability durability = CommitDurability::PowerLoss;
  uint64_t bytes_max = 0;  // 0: as large as the disk allows
  int application_id = 0;
  int format = 0;
};

enum class StructureCheck : uint8_t { Quick, WithIndexes };

class Database {
 public:
  Database() = default;
  ~Database() { close(); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Whether there is a file of that name that is not empty, as SQLite sees it.
  static bool exists(const std::string& path);

  /// Code::NotFound if `read_only` and there is no database; Code::Incompatible if the file belongs to another program or
  /// was written in a newer format; Code::Busy if another program has it open; Code::Corrupt if it is no database.
  Status open(const DatabaseSettings& settings);
  /// Requires that no statement is left. The WAL file stays, so that its space stays reserved.
  void close();
  bool is_open() const { return connection_ != nullptr; }
  /// Whether open() found a database without any table.
  bool fresh() const { return fresh_; }

  /// Runs SQL that yields no rows of interest; compiles it each time, so for start-up only.
  Status execute(const char* sql);
  /// The first column of the first row.
  Result<int64_t> read_int(const char* sql);

  /// Looks at the structure of the whole file, not at what the rows mean; reads all of it. Code::Corrupt if something is wrong.
  Status check_structure(StructureCheck check);
  /// Reads the database's file, without its WAL, as it is, through SQLite's own handle: any other one that is closed would take
  /// the lock away. How many bytes there were, 0 at the end.
  Result<size_t> read_file(uint64_t offset, std::span<uint8_t> to);

  /// Makes the WAL's file at least `bytes` long, in zeros, and syncs: zeros behind the last frame end the WAL for SQLite, and
  /// blocks that were written once are overwritten in place. Through SQLite's own handle, like read_file. Requires that the
  /// database has tables and that no transaction is open. Code::Full if the disk has no room; what fitted stays.
  Status reserve_wal(uint64_t bytes);
  /// Frames in the WAL after the last commit.
  uint32_t wal_frames() const { return wal_frames_; }
  /// Copies the WAL into the database; the next commit starts the WAL from its beginning. Two fdatasyncs.
  Status checkpoint_wal();
  /// The same, and the WAL's file gives its space back.
  Status truncate_wal();
  /// Rows that the last statement inserted, changed or deleted.
  uint64_t changes() const;
  int64_t last_insert_id() const;
  bool in_transaction() const;
  /// From any thread, while the connection is open: what runs ends with Code::Busy.
  void interrupt();
  /// After a failed sync nothing may be written again, not even by closing.
  void leave_wal_at_close();

  sqlite3* connection() { return connection_; }

 private:
  Status connect(const DatabaseSettings& settings);
  Status identify(const DatabaseSettings& settings);
  Status configure(const DatabaseSettings& settings);
  Status configure_file(const DatabaseSettings& settings);
  static int on_commit(void* self, sqlite3*, const char* name, int frames);

  sqlite3* connection_ = nullptr;
  bool fresh_ = false;
  uint32_t wal_frames_ = 0;
};

}  // namespace weir
