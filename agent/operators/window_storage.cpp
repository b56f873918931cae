// The part of WindowAggregate that stores its state with the checkpoints and takes it back.
#include <algorithm>

#include "agent/base/hash.h"
#include "agent/operators/value_cell.h"
#include "agent/operators/window_aggregate.h"

namespace weir {

SnapshotBounds WindowAggregate::snapshot_bounds() const {
  SnapshotBounds bounds = state_.snapshot_bounds();
  const size_t keyed_bytes = bounds.bytes;
  bounds.bytes += sizeof(int64_t) + sizeof(uint32_t);
  if (parts_.any()) bounds.bytes += 2 * sizeof(uint64_t) + sizeof(uint32_t) + clocks_.size() * sizeof(int64_t);
  bounds.blobs += 1;
  bounds.blob_bytes = std::max(bounds.blob_bytes, bounds.bytes - keyed_bytes);
  return bounds;
}

void WindowAggregate::snapshot(Snapshot& snapshot) {
  ByteWriter& out = snapshot.open(BlobKind::Operator, op());
  out.put(clocks_[0].watermark_ms);
  out.put(state_.slots());
  if (parts_.any()) {
    out.put(late_partial_);
    out.put(late_updates_);
    out.put(static_cast<uint32_t>(clocks_.size()));
    for (const Clock& clock : clocks_) out.put(clock.watermark_ms);
  }
  snapshot.close();
  state_.snapshot(snapshot, op());
}

void WindowAggregate::snapshot_done(uint64_t checkpoint_id, bool committed) { state_.snapshot_done(checkpoint_id, committed); }

Status WindowAggregate::restore(const StoredBlob& blob) {
  if (blob.kind != BlobKind::Operator) {
    if (!own_blob_restored_) return {Code::Corrupt, "window: the operator's own blob is missing"};
    return adoption_ != nullptr ? adoption_->restore(blob) : state_.restore(blob);
  }
  ByteReader in(blob.bytes);
  set_watermark(0, in.get<int64_t>());
  const auto slots = in.get<uint32_t>();
  uint32_t clocks = 0;
  if (parts_.any()) {
    late_partial_ = in.get<uint64_t>();
    late_updates_ = in.get<uint64_t>();
    clocks = in.get<uint32_t>();
  }
  for (uint32_t clock = 0; in.ok() && clock < std::min<size_t>(clocks, clocks_.size()); ++clock)
    set_watermark(clock, in.get<int64_t>());
  if (!in.ok() || own_blob_restored_ || (!in.at_end() && clocks <= clocks_.size()))
    return {Code::Corrupt, "window: the operator's own blob is malformed"};
  own_blob_restored_ = true;
  if (clocks > clocks_.size())
    return {Code::Incompatible, "there were more device clocks when it was stored; set event_time.max_devices to what it was",
            static_cast<int>(clocks)};
  // Slices that stood in slots that there are no more may still find room in others.
  if (slots > state_.slots() && adoption_ == nullptr) WEIR_TRY(adopt(StateLayout::parse(layout_).value()));
  return adoption_ != nullptr ? adoption_->open(slots) : Status();
}

Status WindowAggregate::restore_finished() {
  if (adoption_ != nullptr) WEIR_TRY(adoption_->finish(state_));
  adoption_ == nullptr ? state_.restore_finished() : adoption_.reset();
  uint32_t count = 0;
  for (uint32_t slice = 0; slice < state_.slots(); ++slice) {
    if (!state_.used(slice)) continue;
    WEIR_TRY(check_restored(slice));
    restored_[count++] = slice;
  }
  const std::span<uint32_t> slices = restored_.first(count);
  // By their starts, so that each is added behind those of its key that are there already.
  std::ranges::sort(slices, {}, [this](uint32_t slice) { return load<int64_t>(state_.read(slice).data() + slice_start_at); });
  for (uint32_t slice : slices) WEIR_TRY(index_restored(slice));
  // In the order of their last records, so that the keys stand again in the order in which they would be given up.
  std::ranges::sort(slices, {}, [this](uint32_t slice) { return silence_of(slice).sequence; });
  for (uint32_t slice : slices) index_.touch(index_.key_of(slice));
  if (count > 0) sequence_ = silence_of(slices.back()).sequence;
  for (uint32_t slice : slices)
    if (const uint32_t key = index_.key_of(slice); index_[key].newest == slice) reschedule(key, next_firing(key));
  return {};
}

Status WindowAggregate::check_restored(uint32_t slice) {
  const Bytes bytes = state_.read(slice);
  if (bytes.size() < parts_.key || !codec_.decode(key_of(slice), row_))
    return {Code::Corrupt, "window: a stored key is malformed"};
  const auto start_ms = load<int64_t>(bytes.data() + slice_start_at);
  if (grid_.slice_of(start_ms) != start_ms) return {Code::Corrupt, "window: a stored window starts where none begins"};
  if (parts_.clock != SliceParts::none && load<uint32_t>(bytes.data() + parts_.clock) >= clocks_.size())
    return {Code::Corrupt, "window: a stored key follows a clock that does not exist"};
  if (parts_.early != SliceParts::none) {
    const auto early_ms = load<int64_t>(bytes.data() + parts_.early);
    const int64_t end_ms = grid_.last_end(start_ms);
    if (early_ms != never_early && (grid_.start_of(end_ms) != start_ms || early_ms <= start_ms || early_ms >= end_ms))
      return {Code::Corrupt, "window: an early result is due outside its window"};
  }
  if (!spec_.aggregates.valid(bytes.data() + parts_.aggregates))
    return {Code::Corrupt, "window: a stored accumulator is malformed"};
  return {};
}

Status WindowAggregate::index_restored(uint32_t slice) {
  const Bytes bytes = state_.read(slice);
  const auto start_ms = load<int64_t>(bytes.data() + slice_start_at);
  const uint64_t hash = hash64(key_of(slice));
  uint32_t key = find_key(key_of(slice), hash);
  if (key == none) {
    if (index_.keys_full()) return {Code::Incompatible, "more keys are stored than max_keys allows"};
    key = index_.add_key(hash, parts_.clock == SliceParts::none ? 0 : load<uint32_t>(bytes.data() + parts_.clock));
  } else if (index_.find_slice(key, start_ms) != none) {
    return {Code::Corrupt, "window: a key has the same window twice"};
  }
  index_.add_slice(key, start_ms, slice);
  WindowIndex::Key& state = index_[key];
  if (!plain()) state.fired_to_ms = std::max(state.fired_to_ms, load<int64_t>(bytes.data() + parts_.fired_to));
  if (parts_.panes != SliceParts::none && (load<uint32_t>(bytes.data() + parts_.panes) & update_is_due) != 0) ++state.updates;
  return {};
}

}  // namespace weir
