#include "agent/runtime/checkpoint_coordinator.h"

#include <algorithm>
#include <string>

#include "agent/base/crash_point.h"
#include "agent/base/log.h"

namespace weir {
namespace {

constexpr int64_t retry_first_ms = 200;
constexpr int64_t retry_most_ms = 10'000;

}  // namespace

CheckpointCoordinator::CheckpointCoordinator(Arena& arena, std::string_view pool, CheckpointPolicy policy,
                                             std::vector<NamedTrigger> triggers, SnapshotBounds bounds, ManifestCodec& codec,
                                             CheckpointHistory& history, CheckpointOwner& owner)
    : policy_(policy), triggers_(std::move(triggers)), codec_(codec), history_(history), owner_(owner) {
  if (policy_.dirty_bytes == 0) policy_.dirty_bytes = bounds.bytes / 5 * 4;
  std::string reason = "what a barrier copies at most, until it is committed";
  auto buffer = arena.take<uint8_t>(bounds.bytes, pool, reason);
  auto blobs = arena.take<Blob>(bounds.blobs, pool, reason);
  auto trims = arena.take<Trim>(bounds.trims, pool, reason);
  snapshot_ = Snapshot(buffer, blobs, trims);
  manifest_bytes_ = ByteWriter(arena.take<uint8_t>(manifest_bytes_max, pool, reason));
}

void CheckpointCoordinator::start(uint32_t pipeline, uint64_t last_id, uint64_t next_id, uint64_t reserved_id, Now now) {
  write_.pipeline = pipeline;
  status_.last_id = last_id;
  next_id_ = next_id;
  reserved_id_ = reserved_id;
  triggered_boot_ms_ = completed_boot_ms_ = clean_boot_ms_ = now.boot_ms;
}

void CheckpointCoordinator::request(CheckpointReason reason) {
  // The last checkpoint keeps its name, whoever else asks for one.
  if (requested_ != CheckpointReason::Stop) requested_ = reason;
}

// ---- when

CheckpointContext CheckpointCoordinator::context(Now now) const {
  const CheckpointProgress progress = owner_.checkpoint_progress();
  CheckpointContext context;
  context.since_ms = now.boot_ms - completed_boot_ms_;
  context.since_attempt_ms = now.boot_ms - triggered_boot_ms_;
  context.last_duration_ms = status_.last_duration_ms;
  context.failures = status_.failures_in_a_row;
  context.records = context.unacked = records_;
  context.bytes = bytes_;
  context.dirty_keys = progress.changes.keys;
  context.dirty_bytes = progress.changes.bytes;
  context.outbox_rows = progress.outbox_rows;
  if (barrier_watermark_ms_ != INT64_MIN && progress.watermark_ms > barrier_watermark_ms_)
    context.event_time_ms = progress.watermark_ms - barrier_watermark_ms_;
  return context;
}

CheckpointReason CheckpointCoordinator::due(Now now) const {
  if (now.boot_ms < retry_boot_ms_) return CheckpointReason::None;
  if (requested_ != CheckpointReason::None) return requested_;
  const CheckpointContext gathered = context(now);
  if (CheckpointReason reason = due_at_once(gathered); reason != CheckpointReason::None) return reason;
  if (now.boot_ms - completed_boot_ms_ < policy_.min_pause_ms) return CheckpointReason::None;
  return due_after_pause(gathered, now);
}

CheckpointReason CheckpointCoordinator::due_at_once(const CheckpointContext& context) const {
  if (context.unacked >= policy_.unacked) return CheckpointReason::Unacked;
  if (policy_.dirty_bytes > 0 && context.dirty_bytes >= policy_.dirty_bytes) return CheckpointReason::DirtyBytes;
  for (const NamedTrigger& each : triggers_)
    if (each.trigger->evaluate(context) == CheckpointTrigger::Ask::Hard) return each.reason;
  return CheckpointReason::None;
}

bool CheckpointCoordinator::interval_over(Now now) const {
  return now.boot_ms - triggered_boot_ms_ >= policy_.interval_ms && (!policy_.skip_clean || owner_.checkpoint_dirty());
}

CheckpointReason CheckpointCoordinator::due_after_pause(const CheckpointContext& context, Now now) const {
  CheckpointReason first = CheckpointReason::None;
  size_t set = 0, reached = 0;
  const auto ask = [&](CheckpointReason reason, bool is_set, bool is_reached) {
    set += is_set ? 1 : 0;
    if (!is_set || !is_reached) return;
    ++reached;
    if (first == CheckpointReason::None) first = reason;
  };
  const auto limit = [&](CheckpointReason reason, uint64_t most, uint64_t now_at) { ask(reason, most > 0, now_at >= most); };
  limit(CheckpointReason::Records, policy_.records, context.records);
  limit(CheckpointReason::PayloadBytes, policy_.bytes, context.bytes);
  limit(CheckpointReason::DirtyKeys, policy_.dirty_keys, context.dirty_keys);
  limit(CheckpointReason::OutboxRows, policy_.outbox_rows, context.outbox_rows);
  limit(CheckpointReason::EventTime, static_cast<uint64_t>(policy_.event_time_ms),
        static_cast<uint64_t>(context.event_time_ms));
  for (const NamedTrigger& each : triggers_)
    ask(each.reason, true, each.trigger->evaluate(context) != CheckpointTrigger::Ask::No);
  ask(CheckpointReason::Interval, policy_.interval_ms > 0, interval_over(now));
  return policy_.all && reached < set ? CheckpointReason::None : first;
}

void CheckpointCoordinator::on_turn(Now now) {
  watch_age(now);
  if (in_flight_) return watch_commit(now);
  if (barrier_watermark_ms_ == INT64_MIN) barrier_watermark_ms_ = owner_.checkpoint_progress().watermark_ms;
  const CheckpointReason reason = due(now);
  preparing_ = reason != CheckpointReason::None && !owner_.checkpoint_prepared(now);
  if (reason != CheckpointReason::None && !preparing_) trigger(reason, now);
}

void CheckpointCoordinator::watch_commit(Now now) {
  if (overdue_told_ || now.boot_ms - triggered_boot_ms_ <= policy_.timeout_ms) return;
  overdue_told_ = true;
  // One that waits behind another pipeline's has nothing to be interrupted yet.
  const bool committing = committing_.load();
  log(LogLevel::Warning, "checkpoint %llu has been %s for more than %lld ms%s; nothing is acknowledged meanwhile",
      static_cast<unsigned long long>(write_.id), committing ? "committing" : "waiting for its turn at the disk",
      static_cast<long long>(policy_.timeout_ms), committing ? " and is interrupted" : "");
  if (committing) executor_->interrupt();
}

void CheckpointCoordinator::watch_age(Now now) {
  if (!in_flight_ && !owner_.checkpoint_dirty()) clean_boot_ms_ = now.boot_ms;
  const int64_t age_ms = now.boot_ms - std::max(completed_boot_ms_, clean_boot_ms_);
  const bool overage = policy_.max_age_ms > 0 && age_ms > policy_.max_age_ms;
  if (!overage || overage_) return;
  overage_ = status_.overage = true;
  constexpr const char* actions[] = {"only told", "no more is read until one succeeds", "the pipeline starts anew"};
  log(LogLevel::Error, "no checkpoint for more than max_age, %lld ms, though there are changes: %s",
      static_cast<long long>(policy_.max_age_ms), actions[static_cast<size_t>(policy_.on_max_age)]);
  if (policy_.on_max_age == CheckpointPolicy::OnMaxAge::Restart)
    owner_.checkpoint_hopeless({Code::Unavailable, "no checkpoint for longer than max_age"});
}

int64_t CheckpointCoordinator::next_deadline_boot_ms(Now now) const {
  int64_t next_ms = INT64_MAX;
  if (policy_.max_age_ms > 0 && !overage_ && (in_flight_ || owner_.checkpoint_dirty()))
    next_ms = std::max(completed_boot_ms_, clean_boot_ms_) + policy_.max_age_ms + 1;
  if (in_flight_) return overdue_told_ ? next_ms : std::min(next_ms, triggered_boot_ms_ + policy_.timeout_ms + 1);
  if (preparing_) return next_ms;
  const CheckpointContext gathered = context(now);
  if (requested_ != CheckpointReason::None || due_at_once(gathered) != CheckpointReason::None)
    return std::min(next_ms, std::max(now.boot_ms, retry_boot_ms_));
  const int64_t soft_ms = std::max(completed_boot_ms_ + policy_.min_pause_ms, retry_boot_ms_);
  if (due_after_pause(gathered, now) != CheckpointReason::None) return std::min(next_ms, soft_ms);
  if (policy_.interval_ms > 0 && (!policy_.skip_clean || owner_.checkpoint_dirty()))
    next_ms = std::min(next_ms, std::max(triggered_boot_ms_ + policy_.interval_ms, soft_ms));
  return next_ms;
}

// ---- the way of one

/// Before the barrier, so that it is part of the checkpoint itself; what the barrier took is known to the next one.
void CheckpointCoordinator::note_begin(Now now) {
  CheckpointTimes times;
  times.id = write_.id;
  times.reason = write_.reason;
  times.created_wall_ms = now.wall_ms;
  const int64_t since_ms = now.boot_ms - completed_boot_ms_;
  const int64_t timer_ms = std::max(triggered_boot_ms_ + policy_.interval_ms - completed_boot_ms_, policy_.min_pause_ms);
  times.timer_ms = policy_.interval_ms > 0 ? std::clamp<int64_t>(timer_ms, 0, since_ms) : 0;
  times.data_ms = since_ms - times.timer_ms;
  history_.add(times);
}

void CheckpointCoordinator::trigger(CheckpointReason reason, Now now) {
  write_.id = next_id_;
  // A block of failed attempts can use up the reservation while nothing can be made durable; the last id is then tried
  // again, and since every attempt with it failed, it is still used once only.
  if (next_id_ < reserved_id_) ++next_id_;
  write_.reason = reason;
  write_.created_wall_ms = now.wall_ms;
  write_.reserved_id = write_.id + 1 < reserved_id_ ? reserved_id_ : write_.id + id_block;
  snapshot_.begin(write_.id);
  const int64_t begin_us = executor_->boot_us();
  note_begin(now);
  crash_point("checkpoint.barrier");
  owner_.checkpoint_barrier(snapshot_, manifest_);
  crash_point("checkpoint.copied");
  barrier_end_us_ = executor_->boot_us();
  manifest_.checkpoint_id = write_.id;
  manifest_.reason = reason;
  manifest_.created_wall_ms = now.wall_ms;
  manifest_bytes_.clear();
  Status encoded = codec_.encode(manifest_, manifest_bytes_);
  WEIR_ASSERT(encoded.ok());  // the manifest's size is bounded by its type
  write_.source_offset = manifest_.source_offset;
  write_.manifest = manifest_bytes_.bytes();
  write_.snapshot = &snapshot_;
  requested_ = CheckpointReason::None;
  records_ = bytes_ = 0;
  barrier_watermark_ms_ = std::max(barrier_watermark_ms_, owner_.checkpoint_progress().watermark_ms);
  triggered_boot_ms_ = now.boot_ms;
  overdue_told_ = false;
  in_flight_ = true;
  history_.set_barrier(write_.id, barrier_end_us_ - begin_us, snapshot_.bytes());
  executor_->submit(*this);
}

void CheckpointCoordinator::run(CheckpointStore& store) {
  committing_ = true;
  result_ = store.commit(write_);
  committing_ = false;
  commit_end_us_ = executor_->boot_us();
}

void CheckpointCoordinator::done(Now now) {
  in_flight_ = false;
  if (result_.ok()) {
    reserved_id_ = write_.reserved_id;
    next_id_ = std::max(next_id_, write_.id + 1);
    if (status_.error[0] != '\0')
      log(LogLevel::Notice, "checkpoint %llu: checkpoints succeed again", static_cast<unsigned long long>(write_.id));
    history_.complete(write_.id, commit_end_us_ - barrier_end_us_);
    status_.last_id = write_.id;
    status_.last_reason = write_.reason;
    status_.last_duration_ms = now.boot_ms - triggered_boot_ms_;
    status_.error = "";
    status_.failures_in_a_row = 0;
    if (overage_) log(LogLevel::Notice, "checkpoints are young enough again");
    overage_ = status_.overage = false;
    ++status_.completed;
    completed_boot_ms_ = now.boot_ms;
    retry_boot_ms_ = retry_pause_ms_ = 0;
    for (const NamedTrigger& each : triggers_) each.trigger->on_completed(write_.id);
  } else {
    ++status_.failed;
    ++status_.failures_in_a_row;
    for (const NamedTrigger& each : triggers_) each.trigger->on_failed(write_.id);
    if (status_.error[0] == '\0')
      log(LogLevel::Error,
          "checkpoint %llu failed: %s (%d); what it would have covered stays unacknowledged and is tried again",
          static_cast<unsigned long long>(write_.id), result_.text(), result_.detail());
    status_.error = result_.text();
    retry_pause_ms_ = std::clamp(retry_pause_ms_ * 2, retry_first_ms, retry_most_ms);
    retry_boot_ms_ = now.boot_ms + retry_pause_ms_;
    request(write_.reason);
  }
  crash_point("checkpoint.announce");
  owner_.checkpoint_decided(write_.id, result_, now);
  crash_point("checkpoint.announced");
  // Flink's rule: so many in a row may fail, one more may not.
  if (status_.failures_in_a_row > policy_.tolerable_failures)
    owner_.checkpoint_hopeless({Code::Unavailable, "more checkpoints in a row have failed than tolerable_failures"});
}

CheckpointStatus CheckpointCoordinator::status(Now now) const {
  CheckpointStatus status = status_;
  status.in_progress = in_flight_;
  if (status.completed > 0) status.age_ms = now.boot_ms - completed_boot_ms_;
  return status;
}

}  // namespace weir
