// WEIR_ASSERT: a programmer's error ends the process at once, also in release builds: state that is already wrong must
// not reach the disk. Data from outside never reaches an assertion.
#pragma once

namespace weir {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}

#define WEIR_ASSERT(expression) \
  (static_cast<bool>(expression) ? void(0) : ::weir::assertion_failed(#expression, __FILE__, __LINE__))
