// WatchdogMonitor: decides whether all parts of the process get on. A part is a Pulse with a bound: while something is expected
// of it, it must make a step within the bound. Half a watchdog's time before the bound is over the part is reported and the
// beats end, so that whoever kills the process at the bound does so with the culprit in the log.
//
// Pure: time comes as an argument, in milliseconds of CLOCK_MONOTONIC, which stands still while the machine is suspended: who
// slept with it is not stuck. When the process itself was held up (stopped, or starved of processor time) the monitor sees that
// by its own delay, and holds that time against nobody.
//
// Owned by the agent; watch() at start-up, then check() by one thread. Takes its memory from the arena; a check costs a few
// loads per part.
#pragma once

#include <span>
#include <string_view>

#include "agent/base/arena.h"
#include "agent/runtime/pulse.h"

namespace weir {

class WatchdogMonitor {
 public:
  struct Part {
    std::string_view name;
    const Pulse* pulse = nullptr;
    int64_t bound_ms = 0;
    int64_t since_ms = 0;  // of its last step, or since nothing was expected, as far as the monitor has seen
    uint32_t steps = 0;
    bool reported = false;
  };

  class Listener {
   public:
    virtual ~Listener() = default;
    /// No progress for so long; told once until it gets on.
    virtual void on_stuck(const Part& part, int64_t idle_ms) = 0;
    virtual void on_recovered(const Part& part, int64_t idle_ms) = 0;
  };

  /// What a check comes to. `hopeless`: some part has reached its bound; without a service manager it is time to abort.
  struct Verdict {
    bool healthy = true;
    bool hopeless = false;
  };

  WatchdogMonitor(Arena& arena, size_t parts_max);

  /// The watchdog's time. Before the first watch().
  void set_limit(int64_t limit_ms) { limit_ms_ = limit_ms; }
  int64_t limit_ms() const { return limit_ms_; }
  /// How often check() wants to be called: four times within the limit.
  int64_t period_ms() const;
  /// `name` and `pulse` must outlive the monitor; a bound below the limit is raised to it.
  void watch(std::string_view name, const Pulse& pulse, int64_t bound_ms);
  /// The first check starts all clocks.
  Verdict check(int64_t now_ms, Listener& listener);

 private:
  void forgive_own_delay(int64_t now_ms);
  void look_at(Part& part, int64_t now_ms, Listener& listener, Verdict& verdict) const;

  std::span<Part> parts_;
  size_t count_ = 0;
  int64_t limit_ms_ = 0;
  int64_t checked_ms_ = INT64_MIN;
};

}  // namespace weir
