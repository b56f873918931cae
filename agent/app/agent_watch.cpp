#include "agent/app/agent_watch.h"

#include <unistd.h>

#include <algorithm>
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
int64_t disk_bound_ms(const Specification& specification) {
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

AgentWatch::AgentWatch(Arena& arena, const Specification& specification)
    : specification_(specification),
      connections_(arena.take<Pulse>(specification.pipeline.size(), "watchdog", "the parts that must get on")),
      marks_(arena.take<WorkMark>(specification.pipeline.size(), "watchdog", "")),
      monitor_(arena, parts_own + specification.pipeline.size()),
      thread_(monitor_, *this) {
  for (const PipelineSpec& pipeline : specification.pipeline) names_.push_back("connections of " + pipeline.name);
}

Status AgentWatch::begin(const Pulse& reactor) {
  main_.adopt_this_thread();
  main_.expect();
  const char* usec = getenv("WATCHDOG_USEC");
  WatchdogSettings settings = watchdog_settings(specification_.agent.watchdog, usec, getenv("WATCHDOG_PID"), getpid());
  if (settings.wrong_text) log(LogLevel::Warning, "WATCHDOG_USEC=%s is no number of microseconds; it is ignored", usec);
  managed_ = getenv("NOTIFY_SOCKET") != nullptr;
  if (settings.limit_ms == 0 && !managed_) return {};
  if (settings.limit_ms == 0) settings.limit_ms = limit_without_watchdog_ms;
  monitor_.set_limit(settings.limit_ms);
  const int64_t disk_ms = disk_bound_ms(specification_);
  monitor_.watch("main thread, which starts or ends the agent", main_, std::max(disk_ms, start_or_end_bound_ms));
  monitor_.watch("reactor", reactor, settings.limit_ms);
  monitor_.watch("storage thread", storage_, disk_ms);
  monitor_.watch("journal thread", journal_, disk_ms);
  for (size_t index = 0; index < names_.size(); ++index)
    monitor_.watch(names_[index], connections_[index], std::max(connection_bound_ms, settings.limit_ms));
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

void AgentWatch::describe_work(const WatchdogMonitor::Part& part, TextWriter& out) {
  if (BlackBox* box = box_.load(); box != nullptr) box->mark_stuck(part.name);
  for (size_t index = 0; index < marks_.size(); ++index) {
    if (!marks_[index].busy()) continue;
    out.append("pipeline ").append(specification_.pipeline[index].name).append(" works at the message with offset ");
    out.append_uint(marks_[index].offset());
    const std::string_view step = step_in_hand(box_.load(), specification_.pipeline[index].name);
    if (!step.empty()) out.append(", in \"").append(step).append('"');
    return;
  }
}

}  // namespace weir
