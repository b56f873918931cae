#include "agent/runtime/checkpoint_coordinator.h"

#include <algorithm>
#include <string>

#include "agent/base/log.h"

namespace weir {
namespace {

constexpr int64_t retry_first_ms = 200;
constexpr int64_t retry_most_ms = 10'000;

}  // namespace

CheckpointCoordinator::CheckpointCoordinator(Arena& arena, std::string_view pool, CheckpointPolicy policy,
                                             SnapshotBounds bounds, ManifestCodec& codec, CheckpointOwner& owner)
    : policy_(policy), codec_(codec), owner_(owner) {
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
  triggered_boot_ms_ = completed_boot_ms_ = now.boot_ms;
}

void CheckpointCoordinator::request(CheckpointReason reason) {
  // The last checkpoint keeps its name, whoever else asks for one.
  if (requested_ != CheckpointReason::Stop) requested_ = reason;
}

CheckpointReason CheckpointCoordinator::due(Now now) const {
  if (now.boot_ms < retry_boot_ms_) return CheckpointReason::None;
  if (requested_ != CheckpointReason::None) return requested_;
  if (records_ >= policy_.unacked) return CheckpointReason::Unacked;
  if (now.boot_ms - completed_boot_ms_ < policy_.min_pause_ms) return CheckpointReason::None;
  if (policy_.records > 0 && records_ >= policy_.records) return CheckpointReason::Records;
  if (policy_.interval_ms > 0 && now.boot_ms - triggered_boot_ms_ >= policy_.interval_ms && owner_.checkpoint_dirty())
    return CheckpointReason::Interval;
  return CheckpointReason::None;
}

void CheckpointCoordinator::on_turn(Now now) {
  if (in_flight_) {
    if (!overdue_told_ && now.boot_ms - triggered_boot_ms_ > policy_.timeout_ms) {
      overdue_told_ = true;
      log(LogLevel::Warning, "checkpoint %llu has been committing for more than %lld ms; nothing is acknowledged meanwhile",
          static_cast<unsigned long long>(write_.id), static_cast<long long>(policy_.timeout_ms));
    }
    return;
  }
  if (CheckpointReason reason = due(now); reason != CheckpointReason::None) trigger(reason, now);
}

int64_t CheckpointCoordinator::next_deadline_boot_ms(Now now) const {
  if (in_flight_) return overdue_told_ ? INT64_MAX : triggered_boot_ms_ + policy_.timeout_ms + 1;
  int64_t soft = std::max(completed_boot_ms_ + policy_.min_pause_ms, retry_boot_ms_);
  if (requested_ != CheckpointReason::None || records_ >= policy_.unacked) return std::max(now.boot_ms, retry_boot_ms_);
  if (policy_.records > 0 && records_ >= policy_.records) return soft;
  if (policy_.interval_ms > 0 && owner_.checkpoint_dirty()) return std::max(triggered_boot_ms_ + policy_.interval_ms, soft);
  return INT64_MAX;
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
  owner_.checkpoint_barrier(snapshot_, manifest_);
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
  records_ = 0;
  triggered_boot_ms_ = now.boot_ms;
  overdue_told_ = false;
  in_flight_ = true;
  executor_->submit(*this);
}

void CheckpointCoordinator::run(CheckpointStore& store) { result_ = store.commit(write_); }

void CheckpointCoordinator::done(Now now) {
  in_flight_ = false;
  if (result_.ok()) {
    reserved_id_ = write_.reserved_id;
    next_id_ = std::max(next_id_, write_.id + 1);
    if (status_.error[0] != '\0')
      log(LogLevel::Notice, "checkpoint %llu: checkpoints succeed again", static_cast<unsigned long long>(write_.id));
    status_.last_id = write_.id;
    status_.last_reason = write_.reason;
    status_.last_duration_ms = now.boot_ms - triggered_boot_ms_;
    status_.error = "";
    ++status_.completed;
    completed_boot_ms_ = now.boot_ms;
    retry_boot_ms_ = retry_pause_ms_ = 0;
  } else {
    ++status_.failed;
    if (status_.error[0] == '\0')
      log(LogLevel::Error,
          "checkpoint %llu failed: %s (%d); what it would have covered stays unacknowledged and is tried again",
          static_cast<unsigned long long>(write_.id), result_.text(), result_.detail());
    status_.error = result_.text();
    retry_pause_ms_ = std::clamp(retry_pause_ms_ * 2, retry_first_ms, retry_most_ms);
    retry_boot_ms_ = now.boot_ms + retry_pause_ms_;
    request(write_.reason);
  }
  owner_.checkpoint_decided(write_.id, result_, now);
}

CheckpointStatus CheckpointCoordinator::status(Now now) const {
  CheckpointStatus status = status_;
  status.in_progress = in_flight_;
  if (status.completed > 0) status.age_ms = now.boot_ms - completed_boot_ms_;
  return status;
}

}  // namespace weir
