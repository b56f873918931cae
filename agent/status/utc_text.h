// A wall-clock time as people read it.
#pragma once

#include <cstdint>

#include "agent/base/text_writer.h"

namespace weir {

/// "2026-11-23T08:49:39Z". No heap.
void append_utc(TextWriter& out, int64_t wall_ms);

}  // namespace weir
