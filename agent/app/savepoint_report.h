// What the commands that deal with savepoints share: making one and saying so.
#pragma once

#include <string>

#include "agent/app/command_line.h"

namespace weir {

/// Makes a savepoint of the state directory: of --pipeline, or of all; under the name --to, or one of its own. Prints what it
/// is.
int create_savepoint(const char* command, const std::string& state_dir, const CommandLine& line);

}  // namespace weir
