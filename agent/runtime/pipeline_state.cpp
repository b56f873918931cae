#include "agent/runtime/pipeline_state.h"

#include <algorithm>

#include "agent/operators/keyed_state.h"

namespace weir {

void Pipeline::OwnState::snapshot(Snapshot& snapshot) {
  ByteWriter& out = snapshot.open(BlobKind::Operator, op());
  graph_.save(out);
  reasons_.save(out);
  history_.save(out);
  out.put(clock_.newest_ms());
  snapshot.close();
}

Status Pipeline::OwnState::restore(const StoredBlob& blob) {
  if (blob.kind != BlobKind::Operator) return {Code::Corrupt, "the pipeline's own state is of an unknown kind"};
  ByteReader in(blob.bytes);
  if (!graph_.restore(in) || !reasons_.restore(in) || !history_.restore(in))
    return {Code::Corrupt, "the pipeline's own state is cut short"};
  // Earlier versions have stored no time.
  if (in.remaining() >= sizeof(int64_t)) clock_.restore(in.get<int64_t>());
  return {};
}

void Pipeline::set_recovery_times(int64_t process_start_boot_ms, int64_t open_ms, int64_t restore_ms) {
  process_start_boot_ms_ = process_start_boot_ms;
  recovery_.open_ms = open_ms;
  recovery_.restore_ms = restore_ms;
}

uint64_t Pipeline::evicted() const { return restored_evictions_ + graph_.evicted(); }

Pipeline::KeyedBytes Pipeline::keyed_bytes() const {
  KeyedBytes sum;
  for (const Stateful* part : stateful_) {
    const SnapshotBounds bounds = part->snapshot_bounds();
    sum.state += bounds.entry_bytes > 0 ? bounds.bytes : 0;
    sum.entry += bounds.entry_bytes;
  }
  return sum;
}

uint64_t Pipeline::transaction_bytes_max() const {
  uint64_t dead_letters = 32 * parts_.dead_letter_payload_max;
  return total_bounds(stateful_).bytes + parts_.outbox.memory / 2 + dead_letters + manifest_bytes_max;
}

uint64_t Pipeline::stored_bytes_max() const {
  const uint64_t keyed = keyed_bytes().state;
  return keyed + keyed * 100 / KeyedState::rewrite_percent + parts_.checkpoints_retained * (transaction_bytes_max() - keyed);
}

uint64_t Pipeline::blob_bytes_max() const {
  uint64_t most =
      std::max({uint64_t{parts_.outbox.memory / 2}, uint64_t{parts_.dead_letter_payload_max}, uint64_t{manifest_bytes_max}});
  for (const Stateful* part : stateful_) {
    const SnapshotBounds bounds = part->snapshot_bounds();
    most = std::max<uint64_t>(most, bounds.blob_bytes > 0 ? bounds.blob_bytes : bounds.bytes);
  }
  return most;
}

void Pipeline::fill_status(PipelineStatus& status, Now now) const {
  constexpr const char* names[] = {"built", "running", "stopping", "stopping", "stopping", "stopped", "failed"};
  status.name = parts_.name;
  status.sources = std::span(sources_).first(source_count_);
  status.state = names[static_cast<size_t>(state_)];
  if (state_ == State::Running && blocked_ && !coordinator_.in_flight()) status.state = "blocked";
  status.error = failure_.ok() ? "" : failure_.text();
  status.has_watermark = graph_.watermark() != INT64_MIN;
  status.watermark_ms = status.has_watermark ? graph_.watermark() : 0;
  status.idle = graph_.idle();
  status.clock_ahead_ms = clock_.ahead_ms();
  status.source = parts_.source->status();
  status.ledger = ledger_;
  status.ledger.results = sink_->results();
  status.ledger.evicted = evicted();
  status.reason_count = std::min(reasons_.entries().size(), status.reasons.size());
  for (size_t index = 0; index < status.reason_count; ++index) {
    const ReasonCounts::Entry& entry = reasons_.entries()[index];
    status.reasons[index] = {entry.reason, entry.count};
  }
  status.checkpoint = coordinator_.status(now);
  status.recovery = recovery_;
  status.late_partial = graph_.late_partial();
  status.late_updates = graph_.late_updates();
  status.sink = parts_.publisher->status();
  status.outbox_rows = outbox_.rows();
  status.outbox_bytes = outbox_.bytes();
  status.outbox_waiting_blobs = outbox_.waiting_blobs();
}

}  // namespace weir
