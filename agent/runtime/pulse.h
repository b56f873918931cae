// Pulse: how a thread shows that it gets on. The thread counts its steps, and what it has been asked to do and has not done
// yet; the watchdog looks at the counts from time to time and keeps the times itself, so that nobody who works needs a clock.
// Owned by the part that works and must outlive the watchdog's thread. Every method may be called by any thread; a step is one
// relaxed atomic addition.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace weir {

class Pulse {
 public:
  /// Something is to be done from here on; each call is answered by one done().
  void expect() { expected_.fetch_add(1, std::memory_order_relaxed); }
  void done() {
    step();
    expected_.fetch_sub(1, std::memory_order_relaxed);
  }
  void step() { steps_.fetch_add(1, std::memory_order_relaxed); }
  /// The calling thread is the one whose stack tells where the part is.
  void adopt_this_thread() { thread_.store(gettid(), std::memory_order_relaxed); }

  bool expected() const { return expected_.load(std::memory_order_relaxed) > 0; }
  /// Wraps around.
  uint32_t steps() const { return steps_.load(std::memory_order_relaxed); }
  /// As the kernel numbers threads; 0: none has adopted it.
  pid_t thread() const { return thread_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int32_t> expected_{0};
  std::atomic<uint32_t> steps_{0};
  std::atomic<pid_t> thread_{0};
};

/// Expects while it lives.
class PulseScope {
 public:
  explicit PulseScope(Pulse& pulse) : pulse_(pulse) { pulse_.expect(); }
  ~PulseScope() { pulse_.done(); }
  PulseScope(const PulseScope&) = delete;
  PulseScope& operator=(const PulseScope&) = delete;

 private:
  Pulse& pulse_;
};

}  // namespace weir
