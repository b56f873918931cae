// What is damaged is kept under another name before anything is changed, for whoever wants to look at it or to save something
// from it with SQLite's own tools. Only the newest few are kept, so that a failing card is not filled with its own damage.
// Start-up only.
#pragma once

#include <string>

#include "storage/database.h"

namespace weir {

/// How many files of each kind are kept.
constexpr size_t set_aside_max = 2;

/// Copies the database to "weir.db.damaged-<checkpoint>" and returns that path. Requires that the WAL was moved into it.
/// Code::Full or Code::Io: there is no copy.
Result<std::string> copy_aside(Database& database, const std::string& state_dir, uint64_t checkpoint_id);

/// Renames a database to "weir.db.corrupt-<number>", and its WAL with it; returns the path of the first.
/// Requires that no store of this process is open on it. Code::Busy if another agent holds the directory.
Result<std::string> move_aside(const std::string& state_dir);

}  // namespace weir
