// The other half of heap_interpose.cpp, for programs that keep malloc as it is.
#include "agent/base/heap_guard.h"

namespace weir {
bool heap_guard_present() { return false; }
}  // namespace weir
