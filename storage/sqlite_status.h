// The one mapping from SQLite's result codes to weir's. Thread-safe; no state.
#pragma once

#include "agent/base/status.h"

namespace weir {

/// `code` is SQLite's (extended) result code; it becomes the detail. Full and Busy were rolled back and may be tried again;
/// after Io and Corrupt what is on disk is unknown.
Status sqlite_status(int code);

}  // namespace weir
