#include "agent/runtime/pipeline.h"

#include <algorithm>
#include <cstring>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/model/value_text.h"
#include "agent/runtime/pipeline_state.h"

namespace weir {
namespace {

constexpr int64_t tick_ms = 1000;
constexpr int64_t drain_ms = 3000;  // how long a stop waits for results to leave
constexpr int64_t goodbye_ms = 500;
constexpr int64_t stop_ms = 15'000;  // how long a stop may take in all
constexpr int64_t stop_with_drain_ms = 60'000;
constexpr int64_t steps_tick_ms = 100;  // how late a timer of processing time may fire
constexpr size_t derived_text_max = 2048;
constexpr size_t dead_letters_of_one_max = 32;  // that room is kept for, besides one a step

void copy_name(std::span<char> to, std::string_view name) {
  size_t length = std::min(name.size(), to.size() - 1);
  memcpy(to.data(), name.data(), length);
  to[length] = '\0';
}

}  // namespace

[[gnu::cold]] Pipeline::Pipeline(Arena& arena, PipelineParts parts)
    : parts_(std::move(parts)),
      graph_(parts_.name, std::move(parts_.graph), arena),
      own_state_(std::make_unique<OwnState>(graph_, reasons_, history_, clock_)),
      dead_letters_(arena, parts_.name + ".dead-letters", parts_.dead_letter_payload_max,
                    graph_.steps() + std::min<size_t>(graph_.fan_out(), dead_letters_of_one_max)),
      outbox_(arena, parts_.name + ".outbox", parts_.outbox, *parts_.publisher, *this),
      sink_(std::make_unique<OutboxSink>(arena, parts_.name + ".sink", parts_.name, *parts_.result_schema, *parts_.renderer,
                                         outbox_, dead_letters_)),
      stateful_(collect_stateful()),
      coordinator_(arena, parts_.name + ".snapshot", parts_.checkpoint, std::move(parts_.triggers), total_bounds(stateful_),
                   *parts_.manifest_codec, history_, *this),
      derived_text_(arena.take<char>(derived_text_max, parts_.name + ".record", "")) {
  graph_.connect(*sink_, *this);
  sink_->reserve(graph_.fan_out());
  if (graph_.inputs() > 1) source_count_ = static_cast<uint32_t>(std::min(graph_.inputs(), sources_.size()));
  for (uint32_t index = 0; index < source_count_; ++index) copy_name(sources_[index].name, graph_.input(index).name());
}

Pipeline::~Pipeline() = default;

std::vector<Stateful*> Pipeline::collect_stateful() {
  std::vector<Stateful*> all{own_state_.get()};
  graph_.collect_stateful(all);
  all.push_back(&outbox_);
  // The source comes last: when it is told that a checkpoint is durable it may deliver at once.
  all.push_back(parts_.source.get());
  WEIR_ASSERT(all.size() <= stateful_parts_max);
  return all;
}

SnapshotBounds Pipeline::total_bounds(const std::vector<Stateful*>& stateful) {
  SnapshotBounds total;
  for (const Stateful* part : stateful) {
    SnapshotBounds bounds = part->snapshot_bounds();
    total.bytes += bounds.bytes;
    total.blobs += bounds.blobs;
    total.trims += bounds.trims;
  }
  return total;
}

Status Pipeline::start(Poller& poller, StorageExecutor& executor, Now now) {
  coordinator_.connect(executor);
  outbox_.connect(executor);
  if (BackgroundExecutor* background = executor.background(); background != nullptr) graph_.connect_background(*background);
  last_turn_ = now;
  last_tick_boot_ms_ = started_boot_ms_ = now.boot_ms;
  state_ = State::Running;
  graph_.start(now.boot_ms);
  WEIR_TRY(parts_.publisher->start(poller, outbox_, now));
  outbox_.start(now);
  graph_.advance();
  return parts_.source->start(poller, *this, now);
}

// ---- the way of a record

bool Pipeline::ready() const { return may_shed() && !graph_.pending() && dead_letters_.ready() && sink_->ready(); }

/// Everything but room.
bool Pipeline::may_shed() const {
  return state_ == State::Running && doomed_.ok() && !coordinator_.in_flight() && !coordinator_.requested() &&
         !coordinator_.holds();
}

void Pipeline::on_message(const Message& message, Now now) {
  const uint64_t hash = message_hash(message.topic, message.payload);
  const bool poison = is_poison(message.offset, hash);
  if (poison && !may_set_aside_poison(now)) return;
  coordinator_.on_record(message.payload.size());
  ++ledger_.received;
  trace_->newest_offset = message.offset;
  if (poison) {
    set_aside_poison(message, now);
  } else {
    trace_->in_hand.begin(message.offset, hash);
    work_at(message, now);
    trace_->in_hand.end();
  }
  if (!ready()) {
    blocked_ = true;
    request_if_full();
  }
}

void Pipeline::work_at(const Message& message, Now now) {
  in_hand_ = &message;
  if (mark_ != nullptr) mark_->begin(message.offset);
  const StepGraph::Verdict verdict = graph_.process(message, clock_.at(now), now.boot_ms);
  if (verdict.refusal.reason != nullptr) set_aside_message(message, "source", verdict.refusal.reason, verdict.refusal.detail);
  book(verdict.outcome, message.topic);
  in_hand_ = nullptr;
  if (mark_ != nullptr) mark_->end();
  graph_.advance();
}

/// nullptr: it is not kept source by source.
SourceAccount* Pipeline::account_of(std::string_view topic) {
  const size_t number = source_count_ == 0 ? 0 : graph_.input_for(topic);
  return number < source_count_ ? &sources_[number] : nullptr;
}

void Pipeline::book(Outcome outcome, std::string_view topic) {
  SourceAccount nobody;
  SourceAccount* source = account_of(topic);
  if (source == nullptr) source = &nobody;
  switch (outcome) {
    case Outcome::Applied:
      ++ledger_.applied;
      ++source->applied;
      break;
    case Outcome::Filtered:
      ++ledger_.filtered;
      ++source->filtered;
      break;
    case Outcome::Late:
      ++ledger_.late;
      ++source->late;
      break;
    case Outcome::DeadLetter:
      ++ledger_.dead_lettered;  // once, however many steps refused a part of it
      ++source->dead_lettered;
      break;
  }
}

/// Input waits for room that only a checkpoint can make.
void Pipeline::request_if_full() {
  if (coordinator_.in_flight()) return;
  if (!dead_letters_.ready()) coordinator_.request(CheckpointReason::DeadLettersFull);
  if ((graph_.pending() || !sink_->ready()) && !outbox_.pending_empty()) coordinator_.request(CheckpointReason::OutboxFull);
}

// ---- what is set aside

/// A record that becomes very many, all of which a later step refuses, can overrun the reserve: those letters are counted by
/// their reason, but not kept.
void Pipeline::set_aside(const DeadLetter& letter) {
  if (!dead_letters_.add(letter) && !warned_of_letters_) {
    warned_of_letters_ = true;
    log(LogLevel::Warning, "%s: one message made more dead letters than there is room for; they are counted, not kept",
        parts_.name.c_str());
  }
  reasons_.add(letter.reason);
  changed_ = true;
}

void Pipeline::set_aside_message(const Message& message, std::string_view step, const char* reason, std::string_view detail) {
  set_aside({reason, detail, step, message.topic, message.payload, message.payload.size(), message.offset, message.arrival_ms,
             attempts_});
}

void Pipeline::on_duplicate(Now now) {
  ++ledger_.duplicate;
  book_unread(now);
}

void Pipeline::on_shed(Now now) {
  ++ledger_.shed;
  book_unread(now);
}

/// It is counted and says that somebody is there; nothing has looked into it.
void Pipeline::book_unread(Now now) {
  coordinator_.on_record(0);
  graph_.on_activity({}, now.boot_ms);
  ++ledger_.received;
  changed_ = true;
}

void Pipeline::on_refused(const Message& message, const char* reason, std::string_view detail, Now now) {
  coordinator_.on_record(message.payload.size());
  graph_.on_activity(message.topic, now.boot_ms);
  ++ledger_.received;
  book(Outcome::DeadLetter, message.topic);
  set_aside_message(message, "source", reason, detail);
  if (!ready()) {
    blocked_ = true;
    request_if_full();
  }
}

void Pipeline::on_refused(const Record& record, const Schema& schema, std::string_view step, Refusal refusal) {
  if (!record.derived) {
    WEIR_ASSERT(in_hand_ != nullptr);
    set_aside_message(*in_hand_, step, refusal.reason, refusal.detail);
    return;
  }
  // A result that a later step cannot take has no message of its own: what is kept is the result itself.
  TextWriter text(derived_text_);
  append_json(text, schema, record);
  set_aside({refusal.reason, refusal.detail, step, "", as_bytes(text.text()), text.size(), record.offset, last_turn_.wall_ms});
}

void Pipeline::on_session_lost(bool expected, Now) {
  changed_ = true;
  coordinator_.request(CheckpointReason::Session);
  if (expected) return;
  recorder_->note(FlightEvent::SessionLost, parts_.name, last_turn_);
  ++ledger_.session_lost;
  log(LogLevel::Warning, "%s: the broker had forgotten the session; what was published while weir was away may be missing",
      parts_.name.c_str());
}

bool Pipeline::on_row_rejected(const OutboxRow& row, const char* reason, Now now) {
  if (!dead_letters_.ready()) {
    coordinator_.request(CheckpointReason::DeadLettersFull);
    return false;
  }
  set_aside({"sink-refused", reason, "sink", row.topic, row.payload, row.payload.size(), 0, now.wall_ms});
  return true;
}

void Pipeline::on_outbox_failed(Status status, Now) { fail(status); }

void Pipeline::on_source_failed(Status status, Now) { fail(status); }

void Pipeline::want_checkpoint(CheckpointReason reason, Now) { coordinator_.request(reason); }

// ---- checkpoints

bool Pipeline::checkpoint_dirty() const { return changed_ || coordinator_.records_since_barrier() > 0 || outbox_.dirty(); }

CheckpointProgress Pipeline::checkpoint_progress() const {
  CheckpointProgress progress;
  for (const Stateful* part : stateful_) {
    const StateChanges changes = part->changes();
    progress.changes.keys += changes.keys;
    progress.changes.bytes += changes.bytes;
  }
  progress.outbox_rows = outbox_.pending_rows();
  if (!graph_.pending()) progress.watermark_ms = graph_.watermark();
  return progress;
}

void Pipeline::checkpoint_barrier(Snapshot& snapshot, Manifest& manifest) {
  changed_ = false;
  copy_name(manifest.pipeline, parts_.name);
  copy_name(manifest.weir_version, parts_.weir_version);
  manifest.config_fingerprint = parts_.config_fingerprint;
  manifest.source_offset = barrier_offset_ = parts_.source->status().offset;
  recorder_->note(FlightEvent::CheckpointBegun, parts_.name, last_turn_, snapshot.checkpoint_id(), barrier_offset_);
  manifest.has_watermark = graph_.watermark() != INT64_MIN;
  manifest.watermark_ms = manifest.has_watermark ? graph_.watermark() : 0;
  manifest.ledger = ledger_;
  manifest.ledger.results = sink_->results();
  manifest.ledger.evicted = evicted();
  manifest.source_count = source_count_;
  manifest.sources = sources_;
  manifest.unknown_bytes = unknown_bytes_;
  manifest.unknown = unknown_;
  manifest.part_count = 0;
  for (Stateful* part : stateful_) {
    part->snapshot(snapshot);
    ManifestPart& row = manifest.parts[manifest.part_count++];
    copy_name(row.uid, part->uid());
    row.op = part->op();
    row.layout = hash64(as_bytes(part->layout()));
    row.checkpoint_id = snapshot.checkpoint_id();
  }
  dead_letters_.snapshot(snapshot);
}

void Pipeline::checkpoint_decided(uint64_t id, Status status, Now now) {
  bool committed = status.ok();
  note_decided(id, status, now);
  dead_letters_.snapshot_done(committed);
  for (Stateful* part : stateful_) part->snapshot_done(id, committed);
  if (!committed) {
    changed_ = true;
    // Only a full disk and a busy file can be waited for.
    if (status.code() != Code::Full && status.code() != Code::Busy) {
      fail(status);
      return;
    }
  }
  pump(now);
}

void Pipeline::fail(Status status) {
  if (state_ == State::Failed) return;
  state_ = State::Failed;
  failure_ = status;
  recorder_->note(FlightEvent::PipelineFailed, parts_.name, last_turn_, 0, 0, status.text());
  parts_.source->abandon(last_turn_);
  log(LogLevel::Error, "%s: failed: %s (%d); nothing more is acknowledged, the broker keeps what was not", parts_.name.c_str(),
      status.text(), status.detail());
}

// ---- turns

/// Goes on with what waited for room: results of windows that are due, the outbox, the source.
void Pipeline::pump(Now now) {
  if (state_ == State::Failed || coordinator_.in_flight()) return;
  graph_.advance();
  tick_steps(now);
  outbox_.resume(now);
  request_if_full();
  if (outbox_.wants_checkpoint()) coordinator_.request(CheckpointReason::OutboxFull);
  if (ready()) {
    blocked_ = false;
    parts_.source->resume(now);
  }
}

/// Idle inputs and processing time move steps on without a record.
void Pipeline::tick_steps(Now now) {
  if (!graph_.advance()) return;
  const bool due = graph_.pending() || now.boot_ms - last_steps_tick_boot_ms_ >= steps_tick_ms;
  if (!graph_.wants_ticks() || !due) return;
  if (graph_.tick(clock_.at(now))) last_steps_tick_boot_ms_ = now.boot_ms;
}

void Pipeline::on_turn(Now now) {
  last_turn_ = now;
  if (state_ == State::Built || stopped()) return;
  if (!doomed_.ok()) return fail(doomed_);
  if (now.boot_ms - last_tick_boot_ms_ >= tick_ms) {
    last_tick_boot_ms_ = now.boot_ms;
    clock_.on_tick(now);
    parts_.source->on_tick(now);
    parts_.publisher->on_tick(now);
    ++connection_loops_;
    graph_.check_idle(now.boot_ms);
    note_connection(now);
  }
  parts_.source->on_turn(now);
  if (!coordinator_.in_flight()) tick_steps(now);
  if (recovery_.connect_ms < 0 && parts_.source->status().connected) {
    recovery_.connect_ms = now.boot_ms - started_boot_ms_;
    recovery_.total_ms = now.boot_ms - process_start_boot_ms_;
  }
  if (state_ != State::Running) continue_stop(now);
  if (stopped()) return;
  if (blocked_ && !coordinator_.in_flight()) pump(now);
  coordinator_.on_turn(now);
  if (!ready()) blocked_ = true;
}

int64_t Pipeline::next_deadline_boot_ms() const {
  if (state_ == State::Built || stopped()) return INT64_MAX;
  // While a checkpoint is being committed no step ticks, and its end wakes the reactor: a deadline would only make it spin.
  const bool ticks = graph_.wants_ticks() && !coordinator_.in_flight();
  const int64_t steps_ms = ticks ? last_steps_tick_boot_ms_ + steps_tick_ms : INT64_MAX;
  return std::min({last_tick_boot_ms_ + tick_ms, steps_ms, coordinator_.next_deadline_boot_ms(last_turn_),
                   parts_.source->next_deadline_boot_ms()});
}

// ---- the end

void Pipeline::stop(Now now, bool drain) {
  if (state_ != State::Running) return;
  state_ = State::Stopping;
  drains_ = drain;
  stop_deadline_boot_ms_ = now.boot_ms + (drain ? stop_with_drain_ms : stop_ms);
  if (drain) {
    graph_.finish();
    changed_ = true;
    end_input(now);
  } else {
    leave(now);
  }
}

/// Hands over what windows still hold; what does not fit waits for checkpoints to make room.
void Pipeline::end_input(Now now) {
  if (coordinator_.in_flight() || coordinator_.requested()) return;
  if (graph_.advance()) return leave(now);
  outbox_.resume(now);
  request_if_full();
}

void Pipeline::leave(Now now) {
  left_ = true;
  parts_.source->stop(now);
  coordinator_.request(CheckpointReason::Stop);
}

/// Stopping: last checkpoint, acknowledgements, the source's goodbye. Draining: results leave. Closing: the publisher's goodbye
/// and a checkpoint that deletes what has left.
void Pipeline::continue_stop(Now now) {
  if (now.boot_ms >= stop_deadline_boot_ms_) {
    log(LogLevel::Warning, "%s: stopped before everything was said goodbye to; what is not acknowledged comes again",
        parts_.name.c_str());
    state_ = State::Stopped;
    return;
  }
  if (!left_) return end_input(now);
  if (coordinator_.in_flight() || coordinator_.requested()) return;
  if (state_ == State::Stopping && parts_.source->finished()) {
    state_ = State::Draining;
    drain_deadline_boot_ms_ = drains_ ? stop_deadline_boot_ms_ - goodbye_ms : now.boot_ms + drain_ms;
  }
  bool may_drain = parts_.publisher->status().connected && now.boot_ms < drain_deadline_boot_ms_;
  if (state_ == State::Draining && (outbox_.drained() || !may_drain)) {
    state_ = State::Closing;
    parts_.publisher->stop(now, now.boot_ms + goodbye_ms);
  }
  if (state_ != State::Closing || !parts_.publisher->finished()) return;
  if (outbox_.dirty()) {
    coordinator_.request(CheckpointReason::Stop);
  } else {
    state_ = State::Stopped;
  }
}

}  // namespace weir
