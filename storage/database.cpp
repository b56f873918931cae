#include "storage/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <string_view>

#include "agent/base/heap_guard.h"
#include "storage/files.h"
#include "storage/sqlite_status.h"
#include "storage/statement.h"

namespace weir {
namespace {

// psow=0: assume that a power cut may damage the whole sector that was being written, as on SD cards.
std::string uri_of(const std::string& path) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string uri = path.starts_with('/') ? "file://" : "file:";
  for (char character : path) {
    if (std::string_view("%?#").find(character) == std::string_view::npos) {
      uri += character;
    } else {
      const auto byte = static_cast<unsigned char>(character);
      uri += '%';
      uri += digits[byte >> 4];
      uri += digits[byte & 15];
    }
  }
  return uri + "?psow=0";
}

constexpr uint64_t page_bytes = 4096;

}  // namespace

bool Database::exists(const std::string& path) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  int exists = 0;
  // Where that cannot be told, opening it will say why.
  return vfs == nullptr || vfs->xAccess(vfs, path.c_str(), SQLITE_ACCESS_EXISTS, &exists) != SQLITE_OK || exists != 0;
}

Status Database::open(const DatabaseSettings& settings) {
  WEIR_ASSERT(!is_open());
  if (settings.read_only && !file_exists(settings.path)) return {Code::NotFound, "there is no database"};
  Status status = connect(settings);
  if (status.ok()) status = identify(settings);
  if (status.ok()) status = configure(settings);
  if (!status.ok() && connection_ != nullptr) leave_wal_at_close();
  if (!status.ok()) close();
  return status;
}

Status Database::connect(const DatabaseSettings& settings) {
  HeapScope scope(HeapOwner::Sqlite);
  // NOMUTEX: one thread at a time uses the connection, and whoever hands it over synchronises.
  const bool reads_file = settings.single_file && settings.read_only;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | (reads_file ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE);
  if (!settings.read_only) flags |= SQLITE_OPEN_CREATE;
  WEIR_TRY(sqlite_status(sqlite3_open_v2(uri_of(settings.path).c_str(), &connection_, flags, nullptr)));
  sqlite3_extended_result_codes(connection_, 1);
  if (settings.single_file) return execute("PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE;");
  int keep = 1;
  sqlite3_file_control(connection_, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
  // Exclusive before the first access to the WAL: only then is there no shared memory file and nobody else can get in.
  return execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE;");
}

Status Database::identify(const DatabaseSettings& settings) {
  // The first read takes the lock; a pragma about the header alone would not tell a foreign file from an empty one.
  Result<int64_t> tables = read_int("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  fresh_ = tables.value() == 0;
  if (fresh_) return settings.read_only ? Status(Code::NotFound, "the database is empty") : Status();
  Result<int64_t> application_id = read_int("PRAGMA application_id");
  if (!application_id.ok()) return application_id.status();
  if (application_id.value() != settings.application_id) return {Code::Incompatible, "the database belongs to another program"};
  Result<int64_t> format = read_int("PRAGMA user_version");
  if (!format.ok()) return format.status();
  if (format.value() > settings.format)
    return {Code::Incompatible, "the database was written by a newer weir, in a format that this one does not know",
            static_cast<int>(format.value())};
  if (format.value() < 1) return {Code::Corrupt, "the database names no format"};
  if (format.value() < settings.format)
    return {Code::Incompatible, "the database was written by an unreleased weir, in a format that is no longer read",
            static_cast<int>(format.value())};
  return {};
}

/// What a file needs that is written in one go and then only read: until it has its name, nobody misses it.
Status Database::configure_file(const DatabaseSettings& settings) {
  WEIR_TRY(execute("PRAGMA cache_size=64; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA trusted_schema=OFF;"));
  return execute(settings.read_only ? "PRAGMA query_only=ON" : "PRAGMA journal_mode=MEMORY; PRAGMA synchronous=FULL;");
}

Status Database::configure(const DatabaseSettings& settings) {
  if (settings.single_file) return configure_file(settings);
  WEIR_TRY(execute("PRAGMA journal_mode=WAL"));
  WEIR_TRY(
      execute(settings.durability == CommitDurability::PowerLoss ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"));
  // Debian's SQLite overwrites deleted rows with zeros unless it is told not to; that costs as much as the rows did.
  WEIR_TRY(
      execute("PRAGMA secure_delete=OFF; PRAGMA cache_size=64; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY;"
              "PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=-1; PRAGMA trusted_schema=OFF;"));
  if (settings.bytes_max > 0) {
    const std::string quota = "PRAGMA max_page_count=" + std::to_string(settings.bytes_max / page_bytes);
    WEIR_TRY(execute(quota.c_str()));
  }
  if (settings.read_only) {
    leave_wal_at_close();
    WEIR_TRY(execute("PRAGMA query_only=ON"));
  }
  Statement mode;
  WEIR_TRY(mode.prepare(*this, "PRAGMA journal_mode"));
  bool is_wal = false;
  WEIR_TRY(mode.each([&is_wal](const Statement& row) {
    is_wal = row.text(0) == "wal";
    return Status();
  }));
  if (!is_wal) return {Code::Io, "the file system of the state directory cannot hold a write-ahead log"};
  // The hook only counts; wal_autocheckpoint=0 above has taken SQLite's own out.
  HeapScope scope(HeapOwner::Sqlite);
  sqlite3_wal_hook(connection_, on_commit, this);
  return {};
}

void Database::close() {
  HeapScope scope(HeapOwner::Sqlite);
  const int code = sqlite3_close(connection_);
  WEIR_ASSERT(code == SQLITE_OK);
  connection_ = nullptr;
  wal_frames_ = 0;
}

Status Database::execute(const char* sql) {
  HeapScope scope(HeapOwner::Sqlite);
  return sqlite_status(sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr));
}

Result<int64_t> Database::read_int(const char* sql) {
  Statement statement;
  if (Status status = statement.prepare(*this, sql); !status.ok()) return status;
  int64_t value = 0;
  Status status = statement.each([&value](const Statement& row) {
    value = row.integer(0);
    return Status();
  });
  if (!status.ok()) return status;
  return value;
}

Status Database::check_structure(StructureCheck check) {
  Statement statement;
  const bool quick = check == StructureCheck::Quick;
  WEIR_TRY(statement.prepare(*this, quick ? "PRAGMA quick_check(1)" : "PRAGMA integrity_check(1)"));
  return statement.each([](const Statement& row) {
    return row.text(0) == "ok" ? Status() : Status(Code::Corrupt, "the structure of the database is damaged");
  });
}

Result<size_t> Database::read_file(uint64_t offset, std::span<uint8_t> to) {
  sqlite3_file* file = nullptr;
  if (Status status = sqlite_status(sqlite3_file_control(connection_, "main", SQLITE_FCNTL_FILE_POINTER, &file)); !status.ok())
    return status;
  sqlite3_int64 bytes = 0;
  if (Status status = sqlite_status(file->pMethods->xFileSize(file, &bytes)); !status.ok()) return status;
  const auto end = static_cast<uint64_t>(bytes);
  const size_t count = offset >= end ? 0 : static_cast<size_t>(std::min<uint64_t>(to.size(), end - offset));
  if (count == 0) return count;
  const int code = file->pMethods->xRead(file, to.data(), static_cast<int>(count), static_cast<sqlite3_int64>(offset));
  if (Status status = sqlite_status(code); !status.ok()) return status;
  return count;
}

Status Database::reserve_wal(uint64_t bytes) {
  static uint8_t zeros[32768];  // never written to; a constant would stand in the program's file
  HeapScope scope(HeapOwner::Sqlite);
  sqlite3_file* wal = nullptr;
  WEIR_TRY(sqlite_status(sqlite3_file_control(connection_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal)));
  if (wal == nullptr || wal->pMethods == nullptr) return {Code::Io, "the database has no write-ahead log yet"};
  sqlite3_int64 present = 0;
  WEIR_TRY(sqlite_status(wal->pMethods->xFileSize(wal, &present)));
  const auto wanted = static_cast<sqlite3_int64>(bytes);
  if (present >= wanted) return {};
  Status written;
  while (present < wanted && written.ok()) {
    const auto count = static_cast<int>(std::min<sqlite3_int64>(wanted - present, sizeof zeros));
    written = sqlite_status(wal->pMethods->xWrite(wal, zeros, count, present));
    present += count;
  }
  if (!written.ok() && written.code() != Code::Full) return written;
  WEIR_TRY(sqlite_status(wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL)));
  return written;
}

Status Database::checkpoint_wal() {
  HeapScope scope(HeapOwner::Sqlite);
  int frames = 0;
  int moved = 0;
  int code = sqlite3_wal_checkpoint_v2(connection_, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &moved);
  if (code == SQLITE_OK && frames == moved) wal_frames_ = 0;
  return sqlite_status(code);
}

Status Database::truncate_wal() {
  HeapScope scope(HeapOwner::Sqlite);
  const int code = sqlite3_wal_checkpoint_v2(connection_, "main", SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (code == SQLITE_OK) wal_frames_ = 0;
  return sqlite_status(code);
}

uint64_t Database::changes() const { return static_cast<uint64_t>(sqlite3_changes64(connection_)); }
int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(connection_); }
void Database::interrupt() { sqlite3_interrupt(connection_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }

void Database::leave_wal_at_close() { sqlite3_db_config(connection_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

int Database::on_commit(void* self, sqlite3*, const char*, int frames) {
  static_cast<Database*>(self)->wal_frames_ = static_cast<uint32_t>(frames);
  return SQLITE_OK;
}

}  // namespace weir
