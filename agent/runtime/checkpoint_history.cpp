#include "agent/runtime/checkpoint_history.h"

#include <algorithm>

namespace weir {

void CheckpointHistory::add(const CheckpointTimes& times) {
  if (size_ > 0 && (*this)[0].id == times.id)
    next_ = (next_ + entries_max - 1) % entries_max;
  else
    size_ = std::min(size_ + 1, entries_max);
  entries_[next_] = times;
  next_ = (next_ + 1) % entries_max;
}

CheckpointTimes* CheckpointHistory::find(uint64_t id) {
  auto found = std::ranges::find(entries_, id, &CheckpointTimes::id);
  return found == entries_.end() ? nullptr : &*found;
}

void CheckpointHistory::set_barrier(uint64_t id, int64_t sync_us, uint64_t bytes) {
  if (CheckpointTimes* times = find(id); times != nullptr) {
    times->sync_us = sync_us;
    times->bytes = bytes;
  }
}

void CheckpointHistory::complete(uint64_t id, int64_t async_us) {
  if (CheckpointTimes* times = find(id); times != nullptr) times->async_us = async_us;
}

void CheckpointHistory::save(ByteWriter& out) const {
  out.put(static_cast<uint16_t>(size_));
  for (size_t age = size_; age-- > 0;) {
    const CheckpointTimes& each = (*this)[age];
    out.put(each.id);
    out.put(static_cast<uint8_t>(each.reason));
    out.put(each.created_wall_ms);
    out.put(each.timer_ms);
    out.put(each.data_ms);
    out.put(static_cast<int32_t>(std::min<int64_t>(each.sync_us, INT32_MAX)));
    out.put(static_cast<int32_t>(std::min<int64_t>(each.async_us, INT32_MAX)));
    out.put(each.bytes);
  }
}

bool CheckpointHistory::restore(ByteReader& in) {
  const auto count = in.get<uint16_t>();
  if (!in.ok() || count > entries_max) return false;
  size_ = next_ = 0;
  for (uint16_t index = 0; index < count; ++index) {
    CheckpointTimes each;
    each.id = in.get<uint64_t>();
    const auto reason = in.get<uint8_t>();
    each.reason =
        reason <= static_cast<uint8_t>(last_checkpoint_reason) ? static_cast<CheckpointReason>(reason) : CheckpointReason::None;
    each.created_wall_ms = in.get<int64_t>();
    each.timer_ms = in.get<int64_t>();
    each.data_ms = in.get<int64_t>();
    each.sync_us = in.get<int32_t>();
    each.async_us = in.get<int32_t>();
    each.bytes = in.get<uint64_t>();
    if (!in.ok()) return false;
    add(each);
  }
  return true;
}

}  // namespace weir
