// The crash handler: what a signal that ends the process (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) leaves in the flight
// recorder: which one, where, and the stack. Then the signal takes its usual course, so that exit status and core file are as
// without it. The handler only stores into memory that is there; it takes no lock and allocates nothing.
#pragma once

#include "agent/runtime/black_box.h"

namespace weir {

/// Notes where code lies and installs the handlers, for this process and for good; `run` must stay valid until
/// forget_crashes(). Start-up: the unwinder is loaded, with the heap. A stack that has overflowed is survived on the calling
/// thread only.
void record_crashes(FlightRun& run);
/// Crashes are no longer noted.
void forget_crashes();

}  // namespace weir
