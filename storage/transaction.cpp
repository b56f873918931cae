#include "storage/transaction.h"

namespace weir {

Status Transactions::prepare(Database& database) {
  database_ = &database;
  WEIR_TRY(begin_.prepare(database, "BEGIN IMMEDIATE"));
  WEIR_TRY(commit_.prepare(database, "COMMIT"));
  return rollback_.prepare(database, "ROLLBACK");
}

Status Transactions::run(FunctionRef<Status()> body) {
  WEIR_TRY(begin_.run());
  Status status = body();
  if (status.ok()) status = commit_.run();
  if (status.ok()) return status;
  // SQLite has rolled back by itself after some errors, a full disk among them.
  if (database_->in_transaction() && !rollback_.run().ok())
    return {Code::Io, "a transaction could not be rolled back", status.detail()};
  return status;
}

}  // namespace weir
