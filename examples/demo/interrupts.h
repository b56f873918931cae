// Interrupts: Ctrl-C and its relatives as something to ask for, never a handler. Blocks SIGINT, SIGTERM and SIGHUP for the
// thread that makes it and for all that it starts later: make it first in main.
#pragma once

#include <csignal>
#include <cstdint>

namespace weir {

class Interrupts {
 public:
  Interrupts();

  /// Sleeps for this long or until someone interrupts; returns how often that has happened so far.
  int pause(int64_t duration_ms);
  int count() const { return count_; }

 private:
  sigset_t signals_{};
  int count_ = 0;
};

}  // namespace weir
