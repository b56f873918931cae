// WatchdogThread: asks the monitor four times within the watchdog's time, and tells the service manager that all is well for as
// long as it is. A part that is stuck is logged with what it has in hand and the stack of its thread; then the beats end, and
// the service manager ends the process, or this thread does if it has been told to. It does nothing else, sleeps in between,
// and allocates nothing.
//
// Owned by the agent, which starts it before anything that may take long and stops it at the very end.
#pragma once

#include <pthread.h>

#include <array>
#include <atomic>

#include "agent/base/status.h"
#include "agent/base/text_writer.h"
#include "agent/runtime/watchdog_monitor.h"
#include "agent/runtime/watchdog_settings.h"

namespace weir {

/// Adds to the report of a stuck part what is in its hands (pipeline, step, message). On the watchdog's thread, while the part
/// may be at work after all: it may read nothing but atomics and what never changes.
class WorkDescriber {
 public:
  virtual ~WorkDescriber() = default;
  virtual void describe_work(const WatchdogMonitor::Part& part, TextWriter& out) = 0;
  /// A part that was described gets on again. On the watchdog's thread.
  virtual void work_goes_on() {}
};

class WatchdogThread final : private WatchdogMonitor::Listener {
 public:
  WatchdogThread(WatchdogMonitor& monitor, WorkDescriber& describer) : monitor_(monitor), describer_(describer) {}
  ~WatchdogThread() override { stop(); }

  /// `settings.limit_ms` must be that of the monitor.
  Status start(const WatchdogSettings& settings);
  void stop();
  bool started() const { return started_; }

  /// While this holds, the service manager is asked for more time at each check: its limits for starting and stopping know
  /// nothing of how much there is to restore. Any thread.
  void ask_for_time(bool wanted) { asks_for_time_.store(wanted, std::memory_order_relaxed); }

 private:
  static void* enter(void* self);
  void run();
  bool sleep(int64_t duration_ms) const;
  void tell_manager() const;
  [[noreturn]] void abort_process() const;
  void on_stuck(const WatchdogMonitor::Part& part, int64_t idle_ms) override;
  void on_recovered(const WatchdogMonitor::Part& part, int64_t idle_ms) override;

  WatchdogMonitor& monitor_;
  WorkDescriber& describer_;
  WatchdogSettings settings_;
  std::atomic<bool> asks_for_time_{false};
  pthread_t thread_{};
  bool started_ = false;
  int stop_event_ = -1;
  std::array<char, 640> text_;
};

}  // namespace weir
