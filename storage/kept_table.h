// KeptTable: parts that have left the configuration and whose state stays for the day on which they return: which checkpoint
// their rows belong to and what layout they have. The rows themselves stay where they are; no checkpoint touches those of a
// part that it does not have. Belongs to the store; same thread rules as its Database.
#pragma once

#include "agent/model/checkpoint_store.h"
#include "storage/statement.h"

namespace weir {

class KeptTable {
 public:
  Status prepare(Database& database);
  /// Every row that passes its CRC; one that does not is passed over. Of each the uid is left empty.
  Status each(FunctionRef<Status(const KeptPart&)> visit);
  /// Both require a transaction.
  Status put(const KeptPart& part);
  Status forget(uint32_t op);

 private:
  Statement select_;
  Statement insert_;
  Statement delete_;
};

}  // namespace weir
