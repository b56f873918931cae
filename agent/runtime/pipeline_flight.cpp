// What a pipeline tells the flight recorder, and what it makes of what the recorder has kept: a message at which the process
// has died again and again is set aside instead of being worked at once more.
#include "agent/base/log.h"
#include "agent/runtime/pipeline.h"

namespace weir {
namespace {

constexpr int64_t hour_ms = 3'600'000;

}  // namespace

void Pipeline::record_flight(FlightRecorder& recorder, PipelineTrace& trace) {
  recorder_ = &recorder;
  trace_ = &trace;
  trace.step_count = static_cast<uint32_t>(graph_.steps());
  for (size_t index = 0; index < graph_.steps() && index < trace.steps.size(); ++index)
    copy_cut(trace.steps[index], graph_.step(index).id());
  graph_.mark_steps(trace.in_hand.step);
}

void Pipeline::note_connection(Now now) {
  const SourceStatus status = parts_.source->status();
  if (status.connected == connection_noted_) return;
  connection_noted_ = status.connected;
  recorder_->note(status.connected ? FlightEvent::Connected : FlightEvent::Disconnected, parts_.name, now, status.connects, 0,
                  status.error);
}

void Pipeline::note_decided(uint64_t id, Status status, Now now) {
  if (!status.ok()) {
    recorder_->note(FlightEvent::CheckpointFailed, parts_.name, now, id, 0, status.text());
    return;
  }
  recorder_->note(FlightEvent::CheckpointCompleted, parts_.name, now, id, barrier_offset_);
  trace_->checkpoint_id = id;
  trace_->checkpoint_offset = barrier_offset_;
  trace_->checkpoint_boot_ms = now.boot_ms;
  // It will not come again.
  if (trace_->suspect.offset <= barrier_offset_) trace_->suspect = {};
}

// ---- poison

/// A message that comes again after a recovery has the offset that it had: offsets go on from the checkpoint, and what it does
/// not cover comes again in its order.
bool Pipeline::is_poison(uint64_t offset, uint64_t hash) const {
  const PoisonSuspect& suspect = trace_->suspect;
  return suspect.deaths > 0 && parts_.poison.deaths > 0 && suspect.deaths >= parts_.poison.deaths && suspect.offset == offset &&
         suspect.hash == hash;
}

/// One bad message is the message's fault, many are a step's: then nothing more is thrown away.
bool Pipeline::may_set_aside_poison(Now now) {
  if (trace_->poison_in_hour == 0 || now.boot_ms - trace_->poison_hour_boot_ms >= hour_ms) {
    trace_->poison_hour_boot_ms = now.boot_ms;
    trace_->poison_in_hour = 0;
  }
  if (trace_->poison_in_hour < parts_.poison.per_hour) return true;
  // Not at once: the source is in the middle of a delivery.
  doomed_ = {Code::Refused, "one more poison message than poison_per_hour allows; it looks like an error of a step",
             static_cast<int>(trace_->poison_in_hour)};
  unrecoverable_ = true;
  return false;
}

void Pipeline::set_aside_poison(const Message& message, Now now) {
  const PoisonSuspect& suspect = trace_->suspect;
  const std::string_view step = step_name(*trace_, suspect.step);
  TextWriter detail(derived_text_);
  detail.printf("the process ended %u times in a row with this message in \"%.*s\"", suspect.deaths,
                static_cast<int>(step.size()), step.data());
  log(LogLevel::Error, "ALARM: %s: message %llu is poison: %.*s; it is set aside as a dead letter", parts_.name.c_str(),
      static_cast<unsigned long long>(message.offset), static_cast<int>(detail.size()), detail.text().data());
  recorder_->note(FlightEvent::Poison, parts_.name, now, message.offset, suspect.deaths, step);
  ++trace_->poison_in_hour;
  graph_.on_activity(message.topic, now.boot_ms);
  book(Outcome::DeadLetter, message.topic);
  set_aside_message(message, step, "poison", detail.text());
  // Nothing more is worked at until this is durable: another death would bring the message back, and its count is overwritten
  // if that death is at another message.
  coordinator_.request(CheckpointReason::Requested);
}

}  // namespace weir
