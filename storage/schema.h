// The tables of the state database and the space reserved for them. docs/state-format.md describes what they hold. Start-up
// only.
#pragma once

#include "storage/database.h"

namespace weir {

constexpr int state_application_id = 0x77656972;  // "weir"
constexpr int state_format = 2;

/// Creates all tables in one transaction. Requires an open, fresh database.
Status create_schema(Database& database);

/// Grows the database to `bytes` and leaves the new pages free, so that a disk that fills up later does not stop a
/// checkpoint. Code::Full if the disk or the quota has no room; the database is good either way.
Status reserve_database_space(Database& database, uint64_t bytes);

}  // namespace weir
