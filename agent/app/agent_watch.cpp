#include "agent/app/agent_watch.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "agent/base/log.h"

namespace weir {
namespace {

constexpr size_t parts_own = 4;  // reactor, storage, journal, main thread
/// Without a watchdog the monitor only asks the service manager for time, and names who is stuck.
constexpr int64_t limit_without_watchdog_ms = 30'000;
/// Connections are looked after once a second.
constexpr int64_t connection_bound_ms = 5'000;

/// A pipeline may have much to restore, and the first start of all writes the space of the database, on a slow card.
constexpr int64_t start_or_end_bound_ms = 600'000;

/// A slow disk is no hang as long as the checkpoint may still take its time.
int64_t longest_timeout_ms(const Specification& specification) {
  int64_t bound_ms = 0;
  for (const PipelineSpec& pipeline : specification.pipeline) bound_ms = std::max(bound_ms, pipeline.checkpoint.timeout);
  return bound_ms;
}

/// Empty: not known. What is in the hands of a part that is stuck does not change.
std::string_view step_in_hand(const BlackBox* box, std::string_view pipeline) {
  if (box == nullptr) return {};
  for (const PipelineTrace& trace : box->traces())
    if (text_in(trace.name) == pipeline && trace.in_hand.sound()) return step_name(trace, trace.in_hand.step);
  return {};
}

}  // namespace

AgentWatch::AgentWatch(Arena& arena, const Specification& specification, size_t slots)
    : watchdog_ms_(specification.agent.watchdog),
      disk_ms_(longest_timeout_ms(specification)),
      names_(slots),
      connections_(arena.take<Pulse>(slots, "watchdog", "the parts that must get on")),
      marks_(arena.take<WorkMark>(slots, "watchdog", "")),
      monitor_(arena, parts_own + slots),
      thread_(monitor_, *this) {}

Status AgentWatch::begin(const Pulse& reactor) {
  main_.adopt_this_thread();
  main_.expect();
  const char* usec = getenv("WATCHDOG_USEC");
  WatchdogSettings settings = watchdog_settings(watchdog_ms_, usec, getenv("WATCHDOG_PID"), getpid());
  if (settings.wrong_text) log(LogLevel::Warning, "WATCHDOG_USEC=%s is no number of microseconds; it is ignored", usec);
  managed_ = getenv("NOTIFY_SOCKET") != nullptr;
  if (settings.limit_ms == 0 && !managed_) return {};
  if (settings.limit_ms == 0) settings.limit_ms = limit_without_watchdog_ms;
  monitor_.set_limit(settings.limit_ms);
  monitor_.watch("main thread, which starts or ends the agent", main_, std::max(disk_ms_, start_or_end_bound_ms));
  monitor_.watch("reactor", reactor, settings.limit_ms);
  monitor_.watch("storage thread", storage_, disk_ms_);
  monitor_.watch("journal thread", journal_, disk_ms_);
  for (const Pulse& connection : connections_)
    monitor_.watch("loop of a pipeline's connections", connection, std::max(connection_bound_ms, settings.limit_ms));
  thread_.ask_for_time(managed_);
  return thread_.start(settings);
}

void AgentWatch::reactor_runs() {
  main_.done();
  for (Pulse& pulse : connections_) {
    pulse.adopt_this_thread();
    pulse.expect();
  }
  thread_.ask_for_time(false);
}

void AgentWatch::reactor_stops() {
  main_.expect();
  for (Pulse& pulse : connections_) pulse.done();
}

void AgentWatch::end() { thread_.stop(); }

void AgentWatch::work_goes_on() {
  if (BlackBox* box = box_.load(); box != nullptr) box->mark_stuck({});
}

int64_t AgentWatch::disk_bound_ms() const { return thread_.started() ? std::max(disk_ms_, monitor_.limit_ms()) : INT64_MAX; }

void AgentWatch::name_slot(size_t slot, std::string_view pipeline) {
  const std::lock_guard lock(names_mutex_);
  copy_cut(names_[slot], pipeline);
}

AgentWatch::SlotName AgentWatch::slot_name(size_t slot) {
  const std::lock_guard lock(names_mutex_);
  return names_[slot];
}

void AgentWatch::describe_work(const WatchdogMonitor::Part& part, TextWriter& out) {
  BlackBox* box = box_.load();
  for (size_t slot = 0; slot < connections_.size(); ++slot)
    if (part.pulse == &connections_[slot]) out.append("those of ").append(text_in(slot_name(slot)));
  if (box != nullptr) {
    std::array<char, 160> text;
    TextWriter stuck(text);
    stuck.append(part.name).append(out.size() > 0 ? ", " : "").append(out.text());
    box->mark_stuck(stuck.text());
  }
  for (size_t slot = 0; slot < marks_.size(); ++slot) {
    if (!marks_[slot].busy()) continue;
    const SlotName slot_text = slot_name(slot);
    const std::string_view name = text_in(slot_text);
    out.append(out.size() > 0 ? "; " : "").append("pipeline ").append(name).append(" works at the message with offset ");
    out.append_uint(marks_[slot].offset());
    const std::string_view step = step_in_hand(box, name);
    if (!step.empty()) out.append(", in \"").append(step).append('"');
    return;
  }
}

}  // namespace weir
