#include "agent/app/flight_deck.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>

#include "agent/app/black_box_report.h"
#include "agent/app/version.h"
#include "agent/base/log.h"
#include "agent/runtime/crash_handler.h"

namespace weir {
namespace {

std::string boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string text;
  std::getline(in, text);
  return text;
}

/// Processes that the kernel has killed for want of memory, of this boot and whichever limit it was; 0 if it does not say.
uint64_t oom_kills() {
  std::ifstream in("/proc/vmstat");
  std::string name;
  uint64_t count = 0;
  while (in >> name >> count)
    if (name == "oom_kill") return count;
  return 0;
}

}  // namespace

void FlightDeck::open(const std::string& state_dir, Now process_start) {
  process_start_boot_ms_ = process_start.boot_ms;
  const Status status = file_.open(state_dir + "/" + BlackBox::file_name, BlackBox::bytes(), false);
  if (!status.ok()) {
    log(LogLevel::Warning, "%s: no flight recorder: %s (%d); nothing will be known of a crash", state_dir.c_str(),
        status.text(), status.detail());
    return;
  }
  box_.emplace(file_.memory());
  const std::string boot = boot_id();
  after_death_ = box_->begin_run({boot, weir_version, static_cast<uint32_t>(getpid()), oom_kills()}, process_start);
  record_crashes(box_->crashing_run());
}

void FlightDeck::begin(const std::vector<std::unique_ptr<PipelineHost>>& hosts) {
  if (!box_) return;
  hosts_ = &hosts;
  for (const auto& host : hosts) {
    const PipelineTrace* trace = box_->trace(host->name());
    replay_until_.push_back(trace == nullptr ? 0 : trace->newest_offset);
  }
}

void FlightDeck::board(Pipeline& pipeline) {
  PipelineTrace* trace = box_ ? box_->trace(pipeline.name()) : nullptr;
  if (trace != nullptr) pipeline.record_flight(*box_, *trace);
}

void FlightDeck::leave(std::string_view pipeline) {
  PipelineTrace* trace = box_ ? box_->trace(pipeline) : nullptr;
  if (trace != nullptr) *trace = {};
}

void FlightDeck::restored(Now now) {
  if (!box_) return;
  restored_boot_ms_ = now.boot_ms;
  for (const auto& host : *hosts_)
    box_->note(FlightEvent::Recovered, host->name(), now, host->pipeline()->checkpoint_status(now).last_id,
               static_cast<uint64_t>(now.boot_ms - process_start_boot_ms_), {});
  if (!after_death_) return;
  Incident& incident = box_->incident();
  incident.restore_ms = now.boot_ms - process_start_boot_ms_;
  replaying_ = incident.down_ms >= 0;
  std::array<char, 1024> text;
  TextWriter account(text);
  tell_incident(incident, box_->previous_run(), account);
  log(LogLevel::Warning, "%.*s", static_cast<int>(account.size()), account.text().data());
}

bool FlightDeck::replayed() const {
  for (size_t index = 0; index < replay_until_.size(); ++index)
    if (const Pipeline* pipeline = (*hosts_)[index]->pipeline();
        pipeline == nullptr || pipeline->newest_offset() < replay_until_[index])
      return false;
  return true;
}

void FlightDeck::on_turn(Now now) {
  if (!box_) return;
  box_->alive(now.boot_ms);
  if (!replaying_ || !replayed()) return;
  replaying_ = false;
  Incident& incident = box_->incident();
  incident.replay_ms = now.boot_ms - restored_boot_ms_;
  log(LogLevel::Notice,
      "all that had been taken in before is in again: T_replay %lld ms, T_recovery %lld ms, T_fault_tolerance %lld ms",
      static_cast<long long>(incident.replay_ms), static_cast<long long>(incident.recovery_ms()),
      static_cast<long long>(incident.fault_tolerance_ms()));
}

void FlightDeck::tell_last_incident(bool json, TextWriter& out) {
  if (!box_ || box_->incident().cause == DeathCause::None) return;
  if (json)
    tell_incident_json(box_->incident(), out);
  else
    tell_incident(box_->incident(), box_->previous_run(), out);
}

std::string_view FlightDeck::blamed() const {
  return box_ && after_death_ ? text_in(box_->incident().pipeline) : std::string_view();
}

void FlightDeck::stopping(Now now) {
  if (box_) box_->note(FlightEvent::Stopping, {}, now, 0, 0, {});
}

void FlightDeck::close(bool orderly, Now now) {
  if (!box_) return;
  box_->end_run(orderly ? RunEnd::Orderly : RunEnd::Failed, now);
  forget_crashes();
}

}  // namespace weir
