// The files that lookup steps can read, and which class reads which.
#pragma once

#include "agent/model/lookup_file.h"

namespace weir {

/// Lives as long as the process; has no state.
LookupFiles& lookup_files();

}  // namespace weir
