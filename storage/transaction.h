// Transactions: all of a change or nothing. One per Database, prepared at start-up; same thread rules.
#pragma once

#include "storage/database.h"
#include "storage/statement.h"

namespace weir {

class Transactions {
 public:
  Status prepare(Database& database);
  /// Runs `body` between BEGIN IMMEDIATE and COMMIT. If the body, or the commit, fails, everything is rolled back and that
  /// error is returned; Code::Io if even rolling back failed.
  Status run(FunctionRef<Status()> body);

 private:
  Database* database_ = nullptr;
  Statement begin_;
  Statement commit_;
  Statement rollback_;
};

}  // namespace weir
