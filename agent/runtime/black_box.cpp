#include "agent/runtime/black_box.h"

#include <algorithm>
#include <cstring>

#include "agent/base/crc32c.h"

namespace weir {
namespace {

constexpr uint32_t box_magic = 0x776E6262;
constexpr uint32_t box_version = 2;

uint32_t crc_of(const FlightRecord& record) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&record);
  return crc32c({bytes + sizeof record.crc, sizeof record - sizeof record.crc});
}

}  // namespace

struct BlackBox::Layout {
  uint32_t magic;
  uint32_t version;
  uint64_t records;  // ever noted
  FlightRun current;
  FlightRun previous;
  Incident incident;
  std::array<PipelineTrace, pipelines_max> traces;
  std::array<FlightRecord, records_max> ring;
};

const char* death_cause_name(DeathCause cause) {
  switch (cause) {
    case DeathCause::None:
      return "none";
    case DeathCause::Signal:
      return "signal";
    case DeathCause::Watchdog:
      return "watchdog";
    case DeathCause::OutOfMemory:
      return "out-of-memory";
    case DeathCause::Machine:
      return "machine";
    case DeathCause::Failure:
      return "failure";
    case DeathCause::Unknown:
      break;
  }
  return "unknown";
}

size_t BlackBox::bytes() {
  // The same on every architecture, so that a file that was copied off a gateway can be read elsewhere.
  static_assert(sizeof(FlightRecord) == 128 && sizeof(InHand) == 32 && sizeof(PoisonSuspect) == 24);
  static_assert(alignof(Layout) == 8 && sizeof(PipelineTrace) % 8 == 0 && sizeof(FlightRun) % 8 == 0);
  constexpr size_t page = 4096;
  return (sizeof(Layout) + page - 1) / page * page;
}

BlackBox::BlackBox(std::span<uint8_t> memory) : layout_(reinterpret_cast<Layout*>(memory.data())) {
  static_assert(std::is_trivially_copyable_v<Layout>);
  WEIR_ASSERT(memory.size() >= bytes());
}

bool BlackBox::sound() const { return layout_->magic == box_magic && layout_->version == box_version; }
const FlightRun& BlackBox::run() const { return layout_->current; }
const FlightRun& BlackBox::previous_run() const { return layout_->previous; }
const Incident& BlackBox::incident() const { return layout_->incident; }
Incident& BlackBox::incident() { return layout_->incident; }
std::span<const PipelineTrace> BlackBox::traces() const { return layout_->traces; }
FlightRun& BlackBox::crashing_run() { return layout_->current; }

void BlackBox::each_record(FunctionRef<void(const FlightRecord&)> visit) const {
  const uint64_t newest = layout_->records;
  for (uint64_t number = newest > records_max ? newest - records_max + 1 : 1; number <= newest; ++number) {
    const FlightRecord record = layout_->ring[number % records_max];
    if (record.number == number && record.crc == crc_of(record)) visit(record);
  }
}

// ---- a new run

DeathCause BlackBox::judge(const Start& start) const {
  const FlightRun& last = layout_->current;
  if (last.pid == 0 || last.end == RunEnd::Orderly) return DeathCause::None;
  if (last.end == RunEnd::Failed) return DeathCause::Failure;
  if (text_in(last.boot_id) != start.boot_id) return DeathCause::Machine;
  const bool may_be_watchdog = last.crash.signal == SIGABRT || last.crash.signal == 0;
  if (last.stuck[0] != '\0' && may_be_watchdog) return DeathCause::Watchdog;
  if (last.crash.signal != 0) return DeathCause::Signal;
  if (start.oom_kills > last.oom_kills) return DeathCause::OutOfMemory;
  return DeathCause::Unknown;
}

/// A message at which the process died, again or for the first time. Pipelines that had nothing in hand keep what they had: the
/// death was another's, and says nothing about theirs.
void BlackBox::count_suspects() {
  for (PipelineTrace& trace : layout_->traces) {
    if (trace.name[0] == '\0' || !trace.in_hand.sound()) continue;
    const bool again =
        trace.suspect.deaths > 0 && trace.suspect.offset == trace.in_hand.offset && trace.suspect.hash == trace.in_hand.hash;
    trace.suspect = {trace.in_hand.offset, trace.in_hand.hash, again ? trace.suspect.deaths + 1 : 1, trace.in_hand.step};
  }
}

int64_t BlackBox::uncovered_ms() const {
  const FlightRun& last = layout_->current;
  int64_t longest_ms = 0;
  for (const PipelineTrace& trace : layout_->traces) {
    if (trace.name[0] == '\0' || trace.newest_offset <= trace.checkpoint_offset) continue;
    const int64_t since_ms = trace.checkpoint_boot_ms > 0 ? trace.checkpoint_boot_ms : last.start_boot_ms;
    longest_ms = std::max(longest_ms, last.alive_boot_ms - since_ms);
  }
  return longest_ms;
}

void BlackBox::open_incident(DeathCause cause, Now now, bool same_boot) {
  const FlightRun& last = layout_->current;
  Incident& incident = layout_->incident;
  incident = {};
  incident.cause = cause;
  incident.signal = last.crash.signal;
  incident.pid = last.pid;
  incident.detect_ms = incident.down_ms = incident.restore_ms = incident.replay_ms = incident.uncovered_ms = -1;
  incident.wall_ms = last.start_wall_ms + (last.alive_boot_ms - last.start_boot_ms);
  if (!same_boot) return;
  const int64_t detected_ms = last.crash.signal != 0 ? last.crash.boot_ms : last.alive_boot_ms;
  incident.detect_ms = std::max<int64_t>(detected_ms - last.alive_boot_ms, 0);
  incident.down_ms = std::max<int64_t>(now.boot_ms - detected_ms, 0);
  incident.uncovered_ms = uncovered_ms();
  if (cause == DeathCause::Failure) return;
  for (const PipelineTrace& trace : layout_->traces) {
    if (trace.name[0] == '\0' || !trace.in_hand.sound()) continue;
    incident.pipeline = trace.name;
    incident.step = trace.in_hand.step;
    copy_cut(incident.step_name, step_name(trace, incident.step));
    incident.offset = trace.in_hand.offset;
    incident.hash = trace.in_hand.hash;
    incident.deaths = trace.suspect.deaths;
    return;
  }
}

bool BlackBox::begin_run(const Start& start, Now now) {
  if (!sound()) {
    memset(static_cast<void*>(layout_), 0, sizeof *layout_);
    layout_->version = box_version;
    layout_->magic = box_magic;
  }
  const DeathCause cause = judge(start);
  const bool same_boot = text_in(layout_->current.boot_id) == start.boot_id;
  // An orderly end, a failure that was told and a power cut say nothing against a message.
  const bool suspicious = cause == DeathCause::Signal || cause == DeathCause::Watchdog || cause == DeathCause::OutOfMemory ||
                          cause == DeathCause::Unknown;
  if (suspicious) count_suspects();
  if (cause != DeathCause::None) open_incident(cause, now, same_boot);
  for (PipelineTrace& trace : layout_->traces) {
    trace.in_hand = {};
    // Boot times of another boot mean nothing.
    if (!same_boot) trace.poison_hour_boot_ms = trace.checkpoint_boot_ms = trace.poison_in_hour = 0;
  }
  if (layout_->current.pid != 0) layout_->previous = layout_->current;
  FlightRun& run = layout_->current;
  run = {};
  copy_cut(run.boot_id, start.boot_id);
  copy_cut(run.version, start.version);
  run.start_wall_ms = now.wall_ms;
  run.start_boot_ms = run.alive_boot_ms = now.boot_ms;
  run.oom_kills = start.oom_kills;
  run.pid = start.pid;
  note(FlightEvent::Started, {}, now, start.pid, 0, start.version);
  return cause != DeathCause::None;
}

PipelineTrace* BlackBox::trace(std::string_view pipeline) {
  const std::string_view name = pipeline.substr(0, PipelineTrace::name_bytes - 1);
  auto named = [](std::string_view wanted) {
    return [wanted](const PipelineTrace& trace) { return text_in(trace.name) == wanted; };
  };
  auto found = std::ranges::find_if(layout_->traces, named(name));
  if (found != layout_->traces.end()) return &*found;
  found = std::ranges::find_if(layout_->traces, named(""));
  if (found == layout_->traces.end()) return nullptr;
  *found = {};
  copy_cut(found->name, name);
  return &*found;
}

void BlackBox::alive(int64_t boot_ms) { layout_->current.alive_boot_ms = boot_ms; }

void BlackBox::end_run(RunEnd end, Now now) {
  layout_->current.alive_boot_ms = now.boot_ms;
  layout_->current.end = end;
}

void BlackBox::mark_stuck(std::string_view text) { copy_cut(layout_->current.stuck, text); }

void BlackBox::note(FlightEvent event, std::string_view pipeline, Now now, uint64_t first, uint64_t second,
                    std::string_view text) {
  const uint64_t number = layout_->records + 1;
  FlightRecord& record = layout_->ring[number % records_max];
  record.crc = 0;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  record.event = event;
  record.number = number;
  record.boot_ms = now.boot_ms;
  record.wall_ms = now.wall_ms;
  record.first = first;
  record.second = second;
  copy_cut(record.pipeline, pipeline);
  copy_cut(record.text, text);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  record.crc = crc_of(record);
  layout_->records = number;
}

}  // namespace weir
