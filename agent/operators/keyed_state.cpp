#include "agent/operators/keyed_state.h"

#include <algorithm>
#include <bit>
#include <string>

namespace weir {
namespace {

Status malformed(const char* text) { return {Code::Corrupt, text}; }

size_t words_for(uint32_t slots) { return (size_t{slots} + 63) / 64; }

}  // namespace

KeyedState::KeyedState(uint32_t slots, uint32_t slot_bytes, Arena& arena, std::string_view pool, std::string_view reason)
    : slot_bytes_(slot_bytes), chunk_slots_(blob_bytes_max / (entry_header_bytes + slot_bytes)) {
  WEIR_ASSERT(slots >= 1 && slots < none && slot_bytes >= 1 && slot_bytes <= slot_bytes_max);
  memory_ = arena.take<uint8_t>(size_t{slots} * slot_bytes, std::string(pool) + ".slots", reason);
  const std::string index = std::string(pool) + ".slot-index";
  const std::string index_reason = std::to_string(slots) + " slots: lengths, free list, marks of change, chunk tags";
  lengths_ = arena.take<uint16_t>(slots, index, index_reason);
  free_ = arena.take<uint32_t>(slots, index, index_reason);
  changed_ = arena.take<uint64_t>(words_for(slots), index, index_reason);
  frozen_ = arena.take<uint64_t>(words_for(slots), index, index_reason);
  chunks_ = arena.take<Chunk>((slots - 1) / chunk_slots_ + 1, index, index_reason);
  rebuild_free_list();
}

uint32_t KeyedState::take(uint32_t length) {
  WEIR_ASSERT(length >= 1 && length <= slot_bytes_);
  if (free_count_ == 0) return none;
  const uint32_t slot = free_[--free_count_];
  lengths_[slot] = static_cast<uint16_t>(length);
  ++live_;
  std::ranges::fill(edit(slot), uint8_t{0});
  return slot;
}

void KeyedState::release(uint32_t slot) {
  WEIR_ASSERT(used(slot));
  lengths_[slot] = 0;
  --live_;
  free_[free_count_++] = slot;
  note_change(slot);
}

void KeyedState::rebuild_free_list() {
  free_count_ = 0;
  for (uint32_t slot = slots(); slot-- > 0;)
    if (!used(slot)) free_[free_count_++] = slot;
  live_ = slots() - free_count_;
}

uint32_t KeyedState::chunk_end(uint32_t chunk) const { return std::min(slots(), chunk_begin(chunk) + chunk_slots_); }

uint64_t KeyedState::chunk_stored_bytes(uint32_t chunk) const {
  uint64_t bytes = 0;
  for (uint32_t slot = chunk_begin(chunk); slot < chunk_end(chunk); ++slot)
    if (used(slot)) bytes += entry_header_bytes + lengths_[slot];
  return std::max<uint64_t>(bytes, entry_header_bytes);
}

template <class Visit>
void KeyedState::for_each_frozen(Visit visit) const {
  for (size_t word = 0; word < frozen_.size(); ++word)
    for (uint64_t bits = frozen_[word]; bits != 0; bits &= bits - 1)
      visit(static_cast<uint32_t>(word * 64 + static_cast<size_t>(std::countr_zero(bits))));
}

SnapshotBounds KeyedState::snapshot_bounds() const {
  // Each slot is written at most once, in a delta or with its chunk. The deltas hold slots of chunks that are not rewritten,
  // and a delta blob holds at least as many entries as a chunk has slots: there are no more blobs than chunks.
  const size_t entry_bytes = entry_header_bytes + slot_bytes_;
  return {slots() * entry_bytes, chunks_.size(), 2, entry_bytes, blob_bytes_max};
}

void KeyedState::snapshot(Snapshot& snapshot, uint32_t op) {
  WEIR_ASSERT(in_flight_ == 0 && snapshot.checkpoint_id() != 0);
  in_flight_ = snapshot.checkpoint_id();
  std::ranges::copy(changed_, frozen_.begin());
  std::ranges::fill(changed_, uint64_t{0});
  changes_ = {};
  choose_chunks(in_flight_);
  write_deltas(snapshot, op);
  for (uint32_t chunk = 0; chunk < chunks_.size(); ++chunk)
    if (chunks_[chunk].rewritten) write_base(snapshot, op, chunk);
  if (begins_anew_) {
    for (BlobKind kind : {BlobKind::Base, BlobKind::Delta}) snapshot.trim(kind, op, in_flight_ - 1);
  } else if (uint64_t up_to = deltas_not_needed(in_flight_); up_to > 0) {
    snapshot.trim(BlobKind::Delta, op, up_to);
  }
}

void KeyedState::choose_chunks(uint64_t checkpoint_id) {
  turn_before_ = turn_;
  uint64_t changed_slots = 0;
  uint64_t changed_bytes = 0;
  for_each_frozen([&](uint32_t slot) {
    ++changed_slots;
    changed_bytes += uint64_t{entry_header_bytes} + lengths_[slot];
    Chunk& chunk = chunks_[chunk_of(slot)];
    if (chunk.covered_to == not_stored) chunk.covered_to = checkpoint_id - 1;
  });
  if (changed_slots * 2 <= std::max(live_, chunk_slots_)) return save_up_and_choose(changed_bytes);
  turn_.saved = 0;
  for (Chunk& chunk : chunks_) chunk.rewritten = chunk.covered_to != not_stored;
}

void KeyedState::save_up_and_choose(uint64_t changed_bytes) {
  turn_.saved += changed_bytes * rewrite_percent;
  const auto count = static_cast<uint32_t>(chunks_.size());
  for (uint32_t seen = 0; seen < count; ++seen) {
    if (Chunk& chunk = chunks_[turn_.chunk]; chunk.covered_to != not_stored) {
      const uint64_t price = chunk_stored_bytes(turn_.chunk) * 100;
      if (price > turn_.saved) return;
      turn_.saved -= price;
      chunk.rewritten = true;
    }
    turn_.chunk = (turn_.chunk + 1) % count;
  }
  turn_.saved = 0;
}

void KeyedState::put_entry(ByteWriter& out, uint32_t slot) const {
  out.put(slot);
  out.put(lengths_[slot]);
  if (used(slot)) out.put_bytes(read(slot));
}

void KeyedState::write_deltas(Snapshot& snapshot, uint32_t op) const {
  ByteWriter* out = nullptr;
  size_t start = 0;
  uint32_t index = 0;
  for_each_frozen([&](uint32_t slot) {
    if (chunks_[chunk_of(slot)].rewritten) return;
    if (out != nullptr && out->size() - start + entry_header_bytes + lengths_[slot] > blob_bytes_max) {
      snapshot.close();
      out = nullptr;
      ++index;
    }
    if (out == nullptr) {
      out = &snapshot.open(BlobKind::Delta, op, index);
      start = out->size();
    }
    put_entry(*out, slot);
  });
  if (out != nullptr) snapshot.close();
}

void KeyedState::write_base(Snapshot& snapshot, uint32_t op, uint32_t chunk) const {
  ByteWriter& out = snapshot.open(BlobKind::Base, op, chunk);
  const size_t start = out.size();
  for (uint32_t slot = chunk_begin(chunk); slot < chunk_end(chunk); ++slot)
    if (used(slot)) put_entry(out, slot);
  // A blob is never empty: a chunk without a used slot names its first as free.
  if (out.size() == start) put_entry(out, chunk_begin(chunk));
  snapshot.close();
}

uint64_t KeyedState::deltas_not_needed(uint64_t checkpoint_id) const {
  uint64_t up_to = not_stored;
  for (const Chunk& chunk : chunks_) up_to = std::min(up_to, chunk.rewritten ? checkpoint_id : chunk.covered_to);
  return up_to == not_stored ? 0 : up_to;
}

void KeyedState::snapshot_done(uint64_t checkpoint_id, bool committed) {
  WEIR_ASSERT(checkpoint_id == in_flight_ && in_flight_ != 0);
  in_flight_ = 0;
  if (committed) begins_anew_ = false;
  for (Chunk& chunk : chunks_) {
    if (committed && chunk.rewritten) chunk.covered_to = checkpoint_id;
    chunk.rewritten = false;
  }
  if (!committed) {
    turn_ = turn_before_;
    for (size_t word = 0; word < frozen_.size(); ++word) changed_[word] |= frozen_[word];
    count_changes();
  }
  std::ranges::fill(frozen_, uint64_t{0});
}

void KeyedState::count_changes() {
  changes_ = {};
  for (uint32_t slot = 0; slot < slots(); ++slot) {
    if ((changed_[slot / 64] >> (slot % 64) & 1) == 0) continue;
    ++changes_.keys;
    changes_.bytes += uint64_t{entry_header_bytes} + lengths_[slot];
  }
}

Status KeyedState::restore(const StoredBlob& blob) {
  if (blob.kind == BlobKind::Base) return restore_base(blob);
  if (blob.kind == BlobKind::Delta) return restore_delta(blob);
  return malformed("keyed state: a blob of a kind that it does not write");
}

template <class Visit>
Status KeyedState::read_entries(Bytes bytes, uint32_t begin, uint32_t end, Visit visit) {
  if (bytes.empty()) return malformed("keyed state: an empty blob");
  if (bytes.size() > blob_bytes_max) return malformed("keyed state: a blob is too long");
  ByteReader in(bytes);
  while (!in.at_end()) {
    const auto slot = in.get<uint32_t>();
    const auto length = in.get<uint16_t>();
    const Bytes content = in.get_bytes(length);
    if (!in.ok()) return malformed("keyed state: a blob ends inside an entry");
    if (slot < begin || slot >= end) return malformed("keyed state: a slot is out of range or out of order");
    if (length > slot_bytes_) return malformed("keyed state: an entry is longer than a slot");
    visit(slot, content);
    begin = slot + 1;
  }
  restored_slot_end_ = begin;
  return {};
}

void KeyedState::place(uint32_t slot, Bytes bytes) {
  lengths_[slot] = static_cast<uint16_t>(bytes.size());
  if (!bytes.empty()) std::ranges::copy(bytes, bytes_of(slot).begin());
}

Status KeyedState::restore_base(const StoredBlob& blob) {
  if (restored_kind_ == BlobKind::Delta) return malformed("keyed state: a base chunk after a delta");
  if (restored_kind_ == BlobKind::Base && blob.index <= restored_index_)
    return malformed("keyed state: base chunks are out of order");
  if (blob.index >= chunks_.size()) return malformed("keyed state: a base chunk that does not exist");
  if (blob.checkpoint_id == 0 || blob.checkpoint_id == not_stored)
    return malformed("keyed state: a chunk without a checkpoint");
  restored_kind_ = BlobKind::Base;
  restored_index_ = blob.index;
  chunks_[blob.index].covered_to = blob.checkpoint_id;
  return read_entries(blob.bytes, chunk_begin(blob.index), chunk_end(blob.index),
                      [&](uint32_t slot, Bytes content) { place(slot, content); });
}

Status KeyedState::restore_delta(const StoredBlob& blob) {
  const bool first_of_checkpoint = restored_kind_ != BlobKind::Delta || blob.checkpoint_id > restored_checkpoint_;
  const bool follows = !first_of_checkpoint && blob.checkpoint_id == restored_checkpoint_ && blob.index == restored_index_ + 1;
  if (first_of_checkpoint ? blob.index != 0 : !follows) return malformed("keyed state: deltas are missing or out of order");
  if (blob.checkpoint_id == 0 || blob.checkpoint_id == not_stored)
    return malformed("keyed state: a delta without a checkpoint");
  restored_kind_ = BlobKind::Delta;
  restored_checkpoint_ = blob.checkpoint_id;
  restored_index_ = blob.index;
  return read_entries(blob.bytes, first_of_checkpoint ? 0 : restored_slot_end_, slots(), [&](uint32_t slot, Bytes content) {
    Chunk& chunk = chunks_[chunk_of(slot)];
    if (chunk.covered_to == not_stored) chunk.covered_to = blob.checkpoint_id - 1;
    if (blob.checkpoint_id > chunk.covered_to) place(slot, content);
  });
}

void KeyedState::restore_finished() {
  rebuild_free_list();
  // The chunk that was rewritten longest ago comes next, or a process that is often restarted would let deltas pile up.
  auto oldest = std::ranges::min_element(chunks_, {}, &Chunk::covered_to);
  turn_ = {static_cast<uint32_t>(oldest - chunks_.begin()), 0};
}

}  // namespace weir
