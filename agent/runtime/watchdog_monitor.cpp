#include "agent/runtime/watchdog_monitor.h"

#include <algorithm>

namespace weir {

WatchdogMonitor::WatchdogMonitor(Arena& arena, size_t parts_max)
    : parts_(arena.take<Part>(parts_max, "watchdog", "the parts that must get on")) {}

int64_t WatchdogMonitor::period_ms() const { return std::max<int64_t>(limit_ms_ / 4, 1); }

void WatchdogMonitor::watch(std::string_view name, const Pulse& pulse, int64_t bound_ms) {
  WEIR_ASSERT(count_ < parts_.size());
  parts_[count_++] = {.name = name, .pulse = &pulse, .bound_ms = std::max(bound_ms, limit_ms_)};
}

void WatchdogMonitor::forgive_own_delay(int64_t now_ms) {
  const int64_t late_ms = checked_ms_ == INT64_MIN ? now_ms : now_ms - checked_ms_ - period_ms();
  if (checked_ms_ != INT64_MIN && late_ms <= period_ms()) return;
  for (Part& part : parts_.first(count_)) part.since_ms += late_ms;
}

void WatchdogMonitor::look_at(Part& part, int64_t now_ms, Listener& listener, Verdict& verdict) const {
  const uint32_t steps = part.pulse->steps();
  const int64_t idle_ms = now_ms - part.since_ms;
  if (steps != part.steps || !part.pulse->expected()) {
    if (part.reported) listener.on_recovered(part, idle_ms);
    part.reported = false;
    part.steps = steps;
    part.since_ms = now_ms;
    return;
  }
  if (idle_ms < part.bound_ms - limit_ms_ / 2) return;
  verdict.healthy = false;
  if (!part.reported) listener.on_stuck(part, idle_ms);
  part.reported = true;
  verdict.hopeless |= idle_ms >= part.bound_ms;
}

WatchdogMonitor::Verdict WatchdogMonitor::check(int64_t now_ms, Listener& listener) {
  forgive_own_delay(now_ms);
  checked_ms_ = now_ms;
  Verdict verdict;
  for (Part& part : parts_.first(count_)) look_at(part, now_ms, listener, verdict);
  return verdict;
}

}  // namespace weir
