// `weir dead-letters replay` and `purge`: asks in portions until all that is selected is done.
#pragma once

#include "agent/app/command_line.h"

namespace weir {

/// Returns the exit code.
int change_dead_letters(CommandLine line);

}  // namespace weir
