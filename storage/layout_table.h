// LayoutTable: the texts that say what stored bytes are (agent/model/state_layout.h), each once under the hash by which
// manifests name it. A part writes its text before its first checkpoint in that layout; texts stay when no checkpoint needs
// them any more, for there are no more of them than changes of the configuration. Belongs to the store; same thread rules as
// its Database.
#pragma once

#include <string>

#include "storage/statement.h"

namespace weir {

class LayoutTable {
 public:
  Status prepare(Database& database);
  /// Code::NotFound if there is none, or it is damaged: what it says cannot be told then.
  Result<std::string> find(uint64_t hash);
  /// Those that are sound and whose hash, as a signed number, is larger than `behind`, in that order; all if `from_first`.
  Status each(bool from_first, int64_t behind, FunctionRef<Status(uint64_t hash, std::string_view text)> visit);
  /// Requires a transaction.
  Status put(uint64_t hash, std::string_view text);

 private:
  Statement select_;
  Statement all_;
  Statement insert_;
};

}  // namespace weir
