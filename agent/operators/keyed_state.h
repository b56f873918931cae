// KeyedState: the state of a keyed step as a fixed number of slots, and how a checkpoint stores what changed in them. A slot is
// up to `slot_bytes` of bytes that the owner lays out; how many are in use is said when it is taken. Owned by one operator;
// reactor thread; never allocates after it was made.
//
// What is stored. The slots are cut into chunks of as many neighbours as fit a blob of 33,200 bytes even when all are full. A
// blob is one or more entries (u32 slot, u16 length, bytes), sorted by slot, each slot once; length 0 says that the slot is
// free.
//   Base, index = chunk:  the whole chunk as it was at the checkpoint that wrote it; slots not named are free.
//   Delta, index 0, 1, …: what changed since the previous committed checkpoint.
// A checkpoint writes its changes as deltas and rewrites a few chunks in turn, as many bytes of them as it has changed bytes
// (times `rewrite_percent`, saved up while it is too little for one chunk); a change in a chunk that is rewritten needs no
// delta. If more than half of the live slots changed, it rewrites all chunks and writes no delta. Flash thus takes about twice
// the changed bytes whatever the size of the state, and no more deltas pile up than the state is big.
//
// A chunk's `covered_to` is the newest checkpoint whose deltas it does not need: the one that wrote it. A chunk none of whose
// slots was ever used is not stored and needs no delta. One that was first used at checkpoint c and is not stored yet needs
// deltas from c on: covered_to is c - 1. Deltas up to the least covered_to over all used chunks are trimmed; as every used
// chunk has its turn, that moves on. Loading applies an entry of a delta only if the delta is newer than its chunk.
//
// A checkpoint may fail after it was copied: two generations of marks say what changed before and since. Until
// snapshot_done the older one is frozen; if the checkpoint fails it is added back, and nothing else has moved.
#pragma once

#include <span>
#include <string_view>

#include "agent/base/arena.h"
#include "agent/model/stateful.h"

namespace weir {

class KeyedState {
 public:
  static constexpr uint32_t none = UINT32_MAX;
  /// What fills eight of SQLite's overflow pages (4,092 bytes each) and leaves as little as it can (489 bytes) in the leaf of
  /// its table: then eight blobs share a leaf. 32 KiB would leave 4,000 bytes there, a leaf for each blob, and write a quarter
  /// more.
  static constexpr uint32_t blob_bytes_max = 33'200;
  static constexpr uint32_t entry_header_bytes = 6;
  static constexpr uint32_t slot_bytes_max = 32 * 1024 - entry_header_bytes;
  static constexpr uint64_t rewrite_percent = 80;

  /// Takes the pools "<pool>.slots", whose reason is `reason`, and "<pool>.slot-index". Requires slots >= 1 and
  /// 1 <= slot_bytes <= slot_bytes_max.
  KeyedState(uint32_t slots, uint32_t slot_bytes, Arena& arena, std::string_view pool, std::string_view reason);

  /// A free slot, the one freed last first, with `length` zero bytes; none if all are used. 1 <= length <= slot_bytes.
  uint32_t take(uint32_t length);
  void release(uint32_t slot);
  /// The bytes of a used slot, to be changed: the next checkpoint stores them.
  std::span<uint8_t> edit(uint32_t slot) {
    note_change(slot);
    return bytes_of(slot);
  }
  Bytes read(uint32_t slot) const { return bytes_of(slot); }
  bool used(uint32_t slot) const { return lengths_[slot] != 0; }

  uint32_t slots() const { return static_cast<uint32_t>(lengths_.size()); }
  uint32_t live() const { return live_; }
  bool full() const { return free_count_ == 0; }

  /// For the owner's Stateful; the owner writes the Operator blob. Exact: a blob per chunk and every slot once, full.
  SnapshotBounds snapshot_bounds() const;
  /// Since the last snapshot; constant time. A slot that grew since it was first changed counts as it was then.
  StateChanges changes() const { return changes_; }
  void snapshot(Snapshot& snapshot, uint32_t op);
  void snapshot_done(uint64_t checkpoint_id, bool committed);

  /// Base and Delta blobs, in the order that Stateful::restore states, into a state that was never used. Code::Corrupt for
  /// anything that snapshot() cannot have written.
  Status restore(const StoredBlob& blob);
  void restore_finished();
  /// Instead of both: whatever the part has stored so far is superseded. Slots that are taken now are all written by the next
  /// checkpoint, which trims the rest. Requires a state that was never used.
  void begin_anew() { begins_anew_ = true; }

 private:
  static constexpr uint64_t not_stored = UINT64_MAX;

  struct Chunk {
    uint64_t covered_to = not_stored;
    bool rewritten = false;  // by the checkpoint in flight
  };
  using Marks = std::span<uint64_t>;

  void note_change(uint32_t slot) {
    uint64_t& marks = changed_[slot / 64];
    const uint64_t mark = uint64_t{1} << (slot % 64);
    if ((marks & mark) != 0) return;
    marks |= mark;
    ++changes_.keys;
    changes_.bytes += uint64_t{entry_header_bytes} + lengths_[slot];
  }
  void count_changes();
  std::span<uint8_t> bytes_of(uint32_t slot) const {
    WEIR_ASSERT(lengths_[slot] != 0);
    return memory_.subspan(size_t{slot} * slot_bytes_, lengths_[slot]);
  }
  uint32_t chunk_of(uint32_t slot) const { return slot / chunk_slots_; }
  uint32_t chunk_begin(uint32_t chunk) const { return chunk * chunk_slots_; }
  uint32_t chunk_end(uint32_t chunk) const;
  uint64_t chunk_stored_bytes(uint32_t chunk) const;

  template <class Visit>
  void for_each_frozen(Visit visit) const;
  void rebuild_free_list();
  void choose_chunks(uint64_t checkpoint_id);
  void save_up_and_choose(uint64_t changed_bytes);
  void put_entry(ByteWriter& out, uint32_t slot) const;
  void write_deltas(Snapshot& snapshot, uint32_t op) const;
  void write_base(Snapshot& snapshot, uint32_t op, uint32_t chunk) const;
  uint64_t deltas_not_needed(uint64_t checkpoint_id) const;

  Status restore_base(const StoredBlob& blob);
  Status restore_delta(const StoredBlob& blob);
  template <class Visit>
  Status read_entries(Bytes bytes, uint32_t begin, uint32_t end, Visit visit);
  void place(uint32_t slot, Bytes bytes);

  uint32_t slot_bytes_;
  uint32_t chunk_slots_;
  std::span<uint8_t> memory_;
  std::span<uint16_t> lengths_;  // 0: free
  std::span<uint32_t> free_;     // a stack
  std::span<Chunk> chunks_;
  Marks changed_;  // since the last snapshot
  Marks frozen_;   // by the checkpoint in flight
  StateChanges changes_;
  uint32_t free_count_ = 0;
  uint32_t live_ = 0;

  // Whose turn it is to be rewritten and the bytes saved up for it, with their values if the checkpoint in flight fails.
  struct Turn {
    uint32_t chunk = 0;
    uint64_t saved = 0;  // hundredths of a byte
  };
  Turn turn_;
  Turn turn_before_;
  uint64_t in_flight_ = 0;    // checkpoint id; 0: none
  bool begins_anew_ = false;  // until a checkpoint is committed

  // The newest blob restored, to see that they come in order.
  BlobKind restored_kind_ = BlobKind::Operator;
  uint64_t restored_checkpoint_ = 0;
  uint32_t restored_index_ = 0;
  uint32_t restored_slot_end_ = 0;
};

}  // namespace weir
