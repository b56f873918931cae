// Waiting in tests: on the monotonic clock, with a deadline, never for a fixed time in the hope that it is enough.
#pragma once

#include <cstdint>

#include "agent/base/function_ref.h"

namespace weir {

int64_t monotonic_us();
int64_t monotonic_ms();
void sleep_ms(int64_t duration_ms);

/// How many times longer than on a machine of its own to wait: the environment's WEIR_TEST_PATIENCE, for programs that run
/// under a sanitizer or an emulator, else 1.
int64_t patience();

/// Asks `predicate` every `pause_ms` until it holds or `deadline_ms` times patience() have passed; returns what it said last.
bool eventually(int64_t deadline_ms, FunctionRef<bool()> predicate, int64_t pause_ms = 5);

}  // namespace weir
