#include "connectors/mqtt/session_tail.h"

#include <algorithm>
#include <cstring>

namespace weir {
namespace {

// Two neighbouring groups hold more than this many deliveries together, or they would be one: that bounds their number.
constexpr uint32_t group_deliveries = 256;
constexpr uint32_t groups_max = 2 * session_tail_capacity / group_deliveries + 8;

}  // namespace

SessionTail::SessionTail(Arena& arena, std::string_view pool_name, uint32_t pending_max, bool keeps_newest)
    : pending_max_(pending_max), keeps_newest_(keeps_newest) {
  WEIR_ASSERT(pending_max > 0 && pending_max <= session_tail_pending_max);
  constexpr const char* reason = "32768 deliveries x 10 bytes, to recognise redeliveries";
  mids_ = arena.take<uint16_t>(session_tail_capacity, pool_name, reason);
  hashes_ = arena.take<uint64_t>(session_tail_capacity, pool_name, reason);
  matched_ = arena.take<uint8_t>(session_tail_capacity / 8, pool_name, reason);
  groups_ = arena.take<Group>(groups_max, pool_name, reason);
}

void SessionTail::open_window() {
  window_open_ = true;
  expected_age_ = 0;
  memset(matched_.data(), 0, matched_.size());
}

bool SessionTail::match(uint16_t mid, uint64_t hash) {
  WEIR_ASSERT(window_open_);
  if (expected_age_ > 0 && try_match(expected_age_, mid, hash)) return true;
  for (uint32_t age = 1; age <= size_; ++age)
    if (try_match(age, mid, hash)) return true;
  return false;
}

bool SessionTail::try_match(uint32_t age, uint16_t mid, uint64_t hash) {
  uint32_t index = index_of(age);
  if (mids_[index] != mid || hashes_[index] != hash) return false;
  auto bit = static_cast<uint8_t>(1U << (index % 8));
  if ((matched_[index / 8] & bit) != 0) return false;
  matched_[index / 8] = static_cast<uint8_t>(matched_[index / 8] | bit);
  expected_age_ = age - 1;
  return true;
}

/// Age 1 is the newest delivery.
uint32_t SessionTail::index_of(uint32_t age) const { return (next_ + session_tail_capacity - age) % session_tail_capacity; }

void SessionTail::record(uint16_t mid, uint64_t hash) {
  WEIR_ASSERT(!full());
  append(mid, hash);
  if (pending_ < pending_max_) ++pending_;
}

void SessionTail::append(uint16_t mid, uint64_t hash) {
  mids_[next_] = mid;
  hashes_[next_] = hash;
  auto bit = static_cast<uint8_t>(1U << (next_ % 8));
  matched_[next_ / 8] = static_cast<uint8_t>(matched_[next_ / 8] & ~bit);
  next_ = (next_ + 1) % session_tail_capacity;
  if (size_ < session_tail_capacity) ++size_;
  if (expected_age_ > 0) expected_age_ = expected_age_ < size_ ? expected_age_ + 1 : 0;
}

void SessionTail::clear() {
  size_ = pending_ = 0;
  window_open_ = false;
  expected_age_ = 0;
  staged_.settled = 0;
  bool stored = group_count_ > 0 || staged_.written > 0;
  clearing_ = stored ? Clearing::Wanted : Clearing::None;
}

void SessionTail::reset() {
  size_ = pending_ = group_count_ = stored_ = expected_age_ = 0;
  window_open_ = false;
  clearing_ = Clearing::None;
  staged_ = {};
}

void SessionTail::snapshot(Snapshot& snapshot, uint32_t op) {
  staged_ = {snapshot.checkpoint_id(), pending_, pending_, 0};
  if (clearing_ == Clearing::Wanted) {
    clearing_ = Clearing::Staged;
    staged_.trimmed = group_count_;
    // Everything older, also what a later version may have stored without a place in our groups.
    if (snapshot.checkpoint_id() > 0) snapshot.trim(BlobKind::SessionTail, op, snapshot.checkpoint_id() - 1);
  } else if ((staged_.trimmed = groups_to_trim(pending_)) > 0) {
    snapshot.trim(BlobKind::SessionTail, op, groups_[staged_.trimmed - 1].last_checkpoint);
  }
  if (pending_ == 0) return;
  ByteWriter& out = snapshot.open(BlobKind::SessionTail, op);
  for (uint32_t age = pending_; age > 0; --age) {
    uint32_t index = index_of(age);
    out.put(mids_[index]);
    out.put(hashes_[index]);
  }
  snapshot.close();
}

void SessionTail::snapshot_done(bool committed) {
  if (!committed) {
    if (clearing_ == Clearing::Staged) clearing_ = Clearing::Wanted;
    staged_ = {};
    return;
  }
  drop_groups(staged_.trimmed);
  if (staged_.written > 0) append_group(staged_.checkpoint, staged_.written);
  pending_ -= staged_.settled;
  if (clearing_ == Clearing::Staged) clearing_ = Clearing::None;
  staged_ = {};
}

Status SessionTail::restore(const StoredBlob& blob) {
  size_t count = blob.bytes.size() / session_tail_entry_bytes;
  if (count == 0 || count > session_tail_pending_max || blob.bytes.size() % session_tail_entry_bytes != 0)
    return Status(Code::Corrupt, "session tail: the blob has no valid size");
  if (group_count_ > 0 && blob.checkpoint_id <= groups_[group_count_ - 1].last_checkpoint)
    return Status(Code::Corrupt, "session tail: the blobs are out of order");
  ByteReader in(blob.bytes);
  for (size_t index = 0; index < count; ++index) {
    auto mid = in.get<uint16_t>();
    auto hash = in.get<uint64_t>();
    if (mid == 0) return Status(Code::Corrupt, "session tail: packet id 0");
    append(mid, hash);
  }
  // More may be stored than is needed; what is too old goes with the next snapshot, but has no place here already.
  drop_groups(group_count_ == groups_.size() ? 1 : 0);
  append_group(blob.checkpoint_id, static_cast<uint32_t>(count));
  return {};
}

void SessionTail::append_group(uint64_t checkpoint, uint32_t deliveries) {
  stored_ += deliveries;
  if (group_count_ > 0 && groups_[group_count_ - 1].deliveries + deliveries <= group_deliveries) {
    Group& last = groups_[group_count_ - 1];
    last.last_checkpoint = checkpoint;
    last.deliveries += deliveries;
    return;
  }
  WEIR_ASSERT(group_count_ < groups_.size());
  groups_[group_count_++] = {checkpoint, deliveries};
}

void SessionTail::drop_groups(uint32_t count) {
  for (uint32_t index = 0; index < count; ++index) stored_ -= groups_[index].deliveries;
  std::ranges::copy(groups_.first(group_count_).subspan(count), groups_.begin());
  group_count_ -= count;
}

/// How many of the oldest groups the tail can do without once `with` more deliveries are stored.
uint32_t SessionTail::groups_to_trim(uint32_t with) const {
  uint32_t left = stored_ + with;
  uint32_t trimmed = 0;
  while (trimmed < group_count_ && left - groups_[trimmed].deliveries >= session_tail_capacity)
    left -= groups_[trimmed++].deliveries;
  return trimmed;
}

}  // namespace weir
