// Waiting in tests: on the monotonic clock, with a deadline, never for a fixed time in the hope that it is enough.
#pragma once

#include <cstdint>

#include "agent/base/function_ref.h"

namespace weir {

int64_t monotonic_us();
int64_t monotonic_ms();
void sleep_ms(int64_t duration_ms);

/// Asks `predicate` every `pause_ms` until it holds or `deadline_ms` have passed; returns what it said last.
bool eventually(int64_t deadline_ms, FunctionRef<bool()> predicate, int64_t pause_ms = 5);

}  // namespace weir
