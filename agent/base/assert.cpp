#include "agent/base/assert.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace weir {

void assertion_failed(const char* expression, const char* file, int line) {
  char text[512];
  int length = snprintf(text, sizeof text, "<2>weir: assertion failed: %s (%s:%d)\n", expression, file, line);
  if (length > 0) {
    auto bytes = static_cast<size_t>(length) < sizeof text ? static_cast<size_t>(length) : sizeof text - 1;
    if (write(STDERR_FILENO, text, bytes) < 0) {
      // Nothing is left to tell it to; the abort below is what counts.
    }
  }
  abort();
}

}  // namespace weir
