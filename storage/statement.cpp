#include "storage/statement.h"

#include <sqlite3.h>

#include "agent/base/heap_guard.h"
#include "storage/database.h"
#include "storage/sqlite_status.h"

namespace weir {
namespace {

// SQLite takes a null pointer for NULL; an empty blob or text needs an address.
const void* address_of(const void* data) { return data != nullptr ? data : ""; }

}  // namespace

Statement::~Statement() {
  HeapScope scope(HeapOwner::Sqlite);
  sqlite3_finalize(statement_);
}

Status Statement::prepare(Database& database, std::string_view sql) {
  WEIR_ASSERT(statement_ == nullptr);
  HeapScope scope(HeapOwner::Sqlite);
  return sqlite_status(sqlite3_prepare_v3(database.connection(), sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &statement_, nullptr));
}

void Statement::note(int code) {
  if (bind_error_ == SQLITE_OK) bind_error_ = code;
}

Statement& Statement::bind_integer(int position, int64_t value) {
  note(sqlite3_bind_int64(statement_, position, value));
  return *this;
}

Statement& Statement::bind(int position, Bytes bytes) {
  note(sqlite3_bind_blob64(statement_, position, address_of(bytes.data()), bytes.size(), SQLITE_STATIC));
  return *this;
}

Statement& Statement::bind(int position, std::string_view text) {
  const auto* data = static_cast<const char*>(address_of(text.data()));
  note(sqlite3_bind_text64(statement_, position, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

int Statement::step() {
  HeapScope scope(HeapOwner::Sqlite);
  return bind_error_ != SQLITE_OK ? bind_error_ : sqlite3_step(statement_);
}

Status Statement::finish(int code) {
  HeapScope scope(HeapOwner::Sqlite);
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  bind_error_ = SQLITE_OK;
  return sqlite_status(code);
}

Status Statement::run() {
  int code = step();
  while (code == SQLITE_ROW) code = step();
  return finish(code);
}

Status Statement::each(FunctionRef<Status(const Statement&)> visit) {
  int code = step();
  for (; code == SQLITE_ROW; code = step()) {
    if (Status status = visit(*this); !status.ok()) {
      WEIR_TRY(finish(SQLITE_OK));
      return status;
    }
  }
  return finish(code);
}

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_, column); }

Bytes Statement::bytes(int column) const {
  HeapScope scope(HeapOwner::Sqlite);
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  // Out of memory while reading yields a null pointer; the row's CRC then tells it from an empty blob.
  if (data == nullptr) return {};
  return {static_cast<const uint8_t*>(data), static_cast<size_t>(size)};
}

}  // namespace weir
