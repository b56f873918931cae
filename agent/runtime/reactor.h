// Reactor: the one thread that runs sources, operators and sinks. It waits with epoll for descriptors and with a timerfd on
// CLOCK_BOOTTIME for deadlines, reads the clock once per turn and hands the time down. Everything it calls must return soon; it
// tells each handler how long it took.
// Owned by the agent; every method is for the reactor's own thread, before or inside run().
#pragma once

#include <span>

#include "agent/base/arena.h"
#include "agent/model/poller.h"
#include "agent/runtime/clock_watch.h"
#include "agent/runtime/pulse.h"

namespace weir {

/// Whoever wants a call at every turn (after the events of that turn) and at a deadline.
class TurnHandler {
 public:
  virtual ~TurnHandler() = default;
  virtual void on_turn(Now now) = 0;
  /// The latest time at which on_turn should come again; INT64_MAX for no wish.
  virtual int64_t next_deadline_boot_ms() const = 0;
};

class Reactor final : public Poller {
 public:
  Reactor(Arena& arena, Clock& clock, size_t descriptors_max, size_t handlers_max);
  ~Reactor() override;

  /// Opens the epoll and timer descriptors.
  Status open();
  void add(TurnHandler& handler);
  /// It is called no more. From another handler's turn at most one other misses this turn.
  void remove(TurnHandler& handler);
  /// Turns until stop() was called.
  Status run();
  void stop() { running_ = false; }
  Now now() {
    Now now = clock_.now();
    clock_watch_.observe(now, clock_);
    return now;
  }
  const ClockStatus& clock_status() const { return clock_watch_.status(); }
  /// Steps once per turn; something is expected of it while run() runs.
  const Pulse& pulse() const { return pulse_; }

  Status watch(int fd, uint32_t events, PollHandler& handler) override;
  void rearm(int fd, uint32_t events, PollHandler& handler) override;
  void forget(int fd) override;

 private:
  struct Watch {
    int fd = -1;
    PollHandler* handler = nullptr;
    uint32_t events = 0;
  };
  Watch* find(int fd);
  void serve(int fd, uint32_t events, Now now);
  void arm_timer();
  Status turn();

  Clock& clock_;
  ClockWatch clock_watch_;
  std::span<Watch> watches_;
  std::span<TurnHandler*> handlers_;
  size_t handler_count_ = 0;
  int epoll_ = -1;
  int timer_ = -1;
  int64_t armed_for_ = INT64_MAX;
  int64_t served_boot_ms_ = 0;  // when the last handler was done
  bool running_ = false;
  Pulse pulse_;
};

}  // namespace weir
