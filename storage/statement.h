// Statement: one prepared SQL statement. Prepared once at start-up; running it allocates nothing of weir's (SQLite's own
// allocations are SQLite's). Bound bytes are not copied: they must stay until run() or each() returned. Same thread rules as
// its Database, which must outlive it.
#pragma once

#include <concepts>
#include <string_view>

#include "agent/base/bytes.h"
#include "agent/base/function_ref.h"
#include "agent/base/status.h"

struct sqlite3_stmt;

namespace weir {

class Database;

class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// Code::Corrupt if the tables are not as the SQL expects them.
  Status prepare(Database& database, std::string_view sql);

  /// Positions count from 1. An error in binding is returned by run() or each().
  template <std::integral T>
  Statement& bind(int position, T value) {
    return bind_integer(position, static_cast<int64_t>(value));
  }
  Statement& bind(int position, Bytes bytes);
  Statement& bind(int position, std::string_view text);

  /// Runs it to its end; rows are passed over.
  Status run();
  /// Calls `visit` for each row; its error ends the walk and is returned.
  Status each(FunctionRef<Status(const Statement&)> visit);

  /// Columns of the row in hand, counted from 0. Views hold until `visit` returns.
  int64_t integer(int column) const;
  Bytes bytes(int column) const;
  std::string_view text(int column) const { return as_text(bytes(column)); }

 private:
  Statement& bind_integer(int position, int64_t value);
  void note(int code);
  int step();
  Status finish(int code);

  sqlite3_stmt* statement_ = nullptr;
  int bind_error_ = 0;
};

}  // namespace weir
