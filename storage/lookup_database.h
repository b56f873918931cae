// LookupDatabase: a lookup step's table in a SQLite file of somebody else's, opened read-only for each reading, so that whoever
// owns it may change or replace it. Reactor thread; what SQLite allocates is charged to SQLite.
#pragma once

#include "agent/base/file_stamp.h"
#include "agent/model/lookup_file.h"

struct sqlite3_stmt;

namespace weir {

class LookupDatabase final : public LookupFile {
 public:
  /// What SQLite needs in memory while one of them is read.
  static constexpr uint64_t memory_bytes = 256 << 10;

  LookupDatabase(LookupFileSpec spec, Arena& arena, const std::string& pool);

  bool changed() override;
  bool read(FunctionRef<const char*(std::span<const Value>)> row, TextWriter& problem) override;

 private:
  bool convert_row(sqlite3_stmt* statement, uint64_t number, TextWriter& problem);

  LookupFileSpec spec_;
  std::string sql_;
  std::string wal_path_;
  std::span<Value> values_;
  FileStamp seen_;
  FileStamp wal_seen_;
};

}  // namespace weir
