#include "storage/schema.h"

#include <string>

#include "storage/meta_table.h"
#include "storage/statement.h"
#include "storage/transaction.h"

namespace weir {
namespace {

constexpr const char* tables = R"(
CREATE TABLE meta (k TEXT PRIMARY KEY, v TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE pipeline (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, reserved_id INTEGER NOT NULL, dead_letters_purged INTEGER NOT NULL,
  crc INTEGER NOT NULL);
CREATE TABLE operator (op INTEGER PRIMARY KEY, pipeline INTEGER NOT NULL, uid TEXT NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE layout (hash INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE kept (
  op INTEGER PRIMARY KEY, checkpoint INTEGER NOT NULL, layout INTEGER NOT NULL, since_ms INTEGER NOT NULL,
  crc INTEGER NOT NULL);
CREATE TABLE checkpoint (
  id INTEGER PRIMARY KEY, pipeline INTEGER NOT NULL, checkpoint INTEGER NOT NULL, reason TEXT NOT NULL,
  created_ms INTEGER NOT NULL, operator_blobs INTEGER NOT NULL, blob_rows INTEGER NOT NULL, crc INTEGER NOT NULL,
  manifest BLOB NOT NULL);
CREATE TABLE opstate (
  id INTEGER PRIMARY KEY, blobs INTEGER NOT NULL, versions INTEGER NOT NULL, base_after INTEGER NOT NULL,
  delta_after INTEGER NOT NULL, outbox_after INTEGER NOT NULL, tail_after INTEGER NOT NULL, crc INTEGER NOT NULL,
  bytes BLOB NOT NULL);
CREATE TABLE base (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE delta (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE outbox (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE session_tail (id INTEGER PRIMARY KEY, crc INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE TABLE dead_letter (
  id INTEGER PRIMARY KEY AUTOINCREMENT, pipeline INTEGER NOT NULL, checkpoint INTEGER NOT NULL, step TEXT NOT NULL,
  reason TEXT NOT NULL, detail TEXT NOT NULL, topic TEXT NOT NULL, payload BLOB NOT NULL, payload_size INTEGER NOT NULL,
  offset INTEGER NOT NULL, arrival_ms INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0);
CREATE INDEX dead_letter_of_pipeline ON dead_letter (pipeline);
CREATE TABLE reserve (bytes BLOB);
)";

constexpr uint64_t reserve_step_bytes = 1 << 20;

Result<uint64_t> bytes_of_pages(Database& database, const char* pragma) {
  Result<int64_t> pages = database.read_int(pragma);
  if (!pages.ok()) return pages.status();
  return static_cast<uint64_t>(pages.value()) * 4096;
}

// Step by step, each moved out of the WAL at once: the WAL must not become as long as the database.
Status insert_reserve(Database& database, uint64_t bytes) {
  Statement insert;
  WEIR_TRY(insert.prepare(database, "INSERT INTO reserve VALUES (zeroblob(?1))"));
  for (uint64_t left = bytes; left > 0;) {
    const uint64_t step = left < reserve_step_bytes ? left : reserve_step_bytes;
    WEIR_TRY(insert.bind(1, step).run());
    WEIR_TRY(database.checkpoint_wal());
    left -= step;
  }
  return {};
}

}  // namespace

Status create_schema(Database& database) {
  WEIR_ASSERT(database.fresh());
  Transactions transactions;
  WEIR_TRY(transactions.prepare(database));
  const std::string identity = "PRAGMA application_id=" + std::to_string(state_application_id) +
                               "; PRAGMA user_version=" + std::to_string(state_format) + ";";
  return transactions.run([&]() -> Status {
    WEIR_TRY(database.execute(tables));
    WEIR_TRY(MetaTable::create_instance(database));
    return database.execute(identity.c_str());
  });
}

Status reserve_database_space(Database& database, uint64_t bytes) {
  Result<uint64_t> present = bytes_of_pages(database, "PRAGMA page_count");
  if (!present.ok()) return present.status();
  Result<uint64_t> free = bytes_of_pages(database, "PRAGMA freelist_count");
  if (!free.ok()) return free.status();
  Status grown;
  // Free pages are used up first.
  if (present.value() < bytes) grown = insert_reserve(database, bytes - present.value() + free.value());
  if (!grown.ok() && grown.code() != Code::Full) return grown;
  // Also what a start that was cut short here has left behind.
  Result<int64_t> rows = database.read_int("SELECT count(*) FROM reserve");
  if (!rows.ok()) return rows.status();
  if (rows.value() > 0) WEIR_TRY(database.execute("DELETE FROM reserve"));
  WEIR_TRY(database.checkpoint_wal());
  return grown;
}

}  // namespace weir
