// The seam to the reactor's epoll: whoever owns a file descriptor asks to be called when it is ready. Level-triggered.
// Reactor thread only.
#pragma once

#include <cstdint>

#include "agent/base/clock.h"
#include "agent/base/status.h"

namespace weir {

constexpr uint32_t poll_in = 1;          // EPOLLIN
constexpr uint32_t poll_out = 4;         // EPOLLOUT
constexpr uint32_t poll_error = 8 | 16;  // EPOLLERR | EPOLLHUP; always reported

class PollHandler {
 public:
  virtual ~PollHandler() = default;
  virtual void on_ready(uint32_t events, Now now) = 0;
  /// After each on_ready: how long it took. Everybody else has waited meanwhile, so whoever can work in portions takes smaller
  /// ones when it was long.
  virtual void on_took(int64_t /*ms*/) {}
};

class Poller {
 public:
  virtual ~Poller() = default;
  virtual Status watch(int fd, uint32_t events, PollHandler& handler) = 0;
  /// Changes what is waited for; 0 waits for errors only.
  virtual void rearm(int fd, uint32_t events, PollHandler& handler) = 0;
  /// Before the descriptor is closed; events already fetched for it are dropped.
  virtual void forget(int fd) = 0;
};

}  // namespace weir
