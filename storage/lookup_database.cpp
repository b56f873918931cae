#include "storage/lookup_database.h"

#include <sqlite3.h>

#include "agent/base/heap_guard.h"

namespace weir {
namespace {

constexpr int busy_ms = 100;  // the reactor waits for nobody longer

std::string quoted_name(const std::string& name) {
  std::string text(1, '"');
  for (char character : name) text.append(character == '"' ? 2 : 1, character);
  text += '"';
  return text;
}

/// False if the stored value is not of the field's type. SQLite has no bool: 0 and 1 are taken.
bool convert(sqlite3_stmt* statement, int column, const Field& field, Value& value) {
  const int type = sqlite3_column_type(statement, column);
  value = Value::null();
  if (type == SQLITE_NULL) return true;
  const int64_t integer = sqlite3_column_int64(statement, column);
  switch (field.type) {
    case Type::Int:
      value = Value::of_int(integer);
      return type == SQLITE_INTEGER;
    case Type::Bool:
      value = Value::of_bool(integer != 0);
      return type == SQLITE_INTEGER && (integer == 0 || integer == 1);
    case Type::Float:
      value = Value::of_float(sqlite3_column_double(statement, column));
      return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
    default:
      break;
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
  const auto bytes = static_cast<size_t>(sqlite3_column_bytes(statement, column));
  if (text == nullptr || type == SQLITE_BLOB || bytes > field.max_length) return false;
  value = Value::of_string({text, bytes});
  return true;
}

}  // namespace

LookupDatabase::LookupDatabase(LookupFileSpec spec, Arena& arena, const std::string& pool)
    : spec_(std::move(spec)),
      wal_path_(spec_.path + "-wal"),
      values_(arena.take<Value>(spec_.columns.size(), pool + ".file", "one row of the table")) {
  for (const Field& column : spec_.columns) sql_ += (sql_.empty() ? "SELECT " : ", ") + quoted_name(column.name);
  sql_ += " FROM " + quoted_name(spec_.table);
}

bool LookupDatabase::changed() {
  const FileStamp now = FileStamp::of(spec_.path);
  return now == FileStamp{} || now != seen_ || FileStamp::of(wal_path_) != wal_seen_;
}

bool LookupDatabase::convert_row(sqlite3_stmt* statement, uint64_t number, TextWriter& problem) {
  for (size_t index = 0; index < spec_.columns.size(); ++index) {
    if (convert(statement, static_cast<int>(index), spec_.columns[index], values_[index])) continue;
    problem.append(spec_.path).append(": row ").append_uint(number).append(" of ").append(spec_.table).append(": ");
    problem.append(spec_.columns[index].name).append(" is no ").append(type_name(spec_.columns[index].type));
    if (spec_.columns[index].type == Type::String)
      problem.append(" of at most ").append_uint(spec_.columns[index].max_length).append(" bytes");
    return false;
  }
  return true;
}

bool LookupDatabase::read(FunctionRef<const char*(std::span<const Value>)> row, TextWriter& problem) {
  HeapScope scope(HeapOwner::Sqlite);
  seen_ = FileStamp::of(spec_.path);
  wal_seen_ = FileStamp::of(wal_path_);
  sqlite3* connection = nullptr;
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_open_v2(spec_.path.c_str(), &connection, SQLITE_OPEN_READONLY, nullptr);
  if (code == SQLITE_OK) sqlite3_busy_timeout(connection, busy_ms);
  // The table is read once, from its beginning to its end.
  if (code == SQLITE_OK) code = sqlite3_exec(connection, "PRAGMA cache_size=8; PRAGMA mmap_size=0", nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) code = sqlite3_prepare_v2(connection, sql_.c_str(), -1, &statement, nullptr);
  bool good = true;
  uint64_t number = 0;
  while (code == SQLITE_OK && good && (code = sqlite3_step(statement)) == SQLITE_ROW) {
    code = SQLITE_OK;
    good = convert_row(statement, ++number, problem);
    if (const char* refused = good ? row(values_) : nullptr; refused != nullptr) {
      problem.append(spec_.path)
          .append(": row ")
          .append_uint(number)
          .append(" of ")
          .append(spec_.table)
          .append(": ")
          .append(refused);
      good = false;
    }
  }
  if (good && code != SQLITE_DONE) {
    problem.append(spec_.path).append(": ").append(sqlite3_errmsg(connection));
    good = false;
  }
  sqlite3_finalize(statement);
  sqlite3_close(connection);
  return good;
}

}  // namespace weir
