#include "examples/demo/interrupts.h"

#include <ctime>
#include <initializer_list>

namespace weir {

Interrupts::Interrupts() {
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals_, signal);
  sigprocmask(SIG_BLOCK, &signals_, nullptr);
  // A reader of our output that went away shows as an error of the stream.
  std::signal(SIGPIPE, SIG_IGN);
}

int Interrupts::pause(int64_t duration_ms) {
  timespec time{};
  time.tv_sec = duration_ms / 1000;
  time.tv_nsec = static_cast<decltype(time.tv_nsec)>((duration_ms % 1000) * 1'000'000);
  if (sigtimedwait(&signals_, nullptr, &time) > 0) ++count_;
  return count_;
}

}  // namespace weir
