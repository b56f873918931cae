// The parts of stored state as a table, or as members of a JSON object: what `weir state list` and `weir savepoint show` print.
#pragma once

#include <string>

#include "agent/runtime/stored_state.h"

namespace weir {

/// "window tumbling"; "not described" where nothing says what it is.
std::string kind_text(const StoredPart& part);
/// How many it has; `none`: it has no keys at all.
std::string keys_text(const StoredPart& part, const char* none = "-");
std::string part_table_header();
/// Without a line break: more may follow.
std::string part_table_row(const StoredPart& part);
/// "part":"windows","kind":"window tumbling","keys":3,"bytes":189
std::string part_json_members(const StoredPart& part);

}  // namespace weir
