// WindowIndex: which keys of a window step hold which slices, in memory only; it is built again from the stored slices after a
// restart. A slice's number is its slot in the KeyedState, where its bytes and its key lie; a key's number is a place here. A
// key is here exactly as long as it has a slice. Owned by one WindowAggregate; reactor thread; never allocates after it was
// made. Constant time, but for finding or adding a slice: that walks those of the key that are newer, which for records in
// order are none.
#pragma once

#include "agent/operators/key_index.h"

namespace weir {

class WindowIndex {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  /// What the step remembers of a key while it has slices.
  struct Key {
    int64_t fired_to_ms = INT64_MIN;  // all windows that end here or earlier have fired
    uint32_t updates = 0;             // windows that have fired and have something new to say
    uint32_t newest = none;           // slices
    uint32_t oldest = none;
    uint32_t noted = none;  // all windows of this slice that can have an early result have one due; not stored
  };

  /// Takes the pools "<pool>.key-table", "<pool>.keys", "<pool>.windows" and "<pool>.slices".
  WindowIndex(uint32_t keys_max, uint32_t slices_max, uint32_t clocks, Arena& arena, std::string_view pool);

  /// The key with this hash for which `has_key(slice)` says yes for one of its slices, or none.
  uint32_t find_key(uint64_t hash, FunctionRef<bool(uint32_t slice)> has_key) const {
    return index_.find(hash, [&](uint32_t key) { return has_key(keys_[key].newest); });
  }
  bool keys_full() const { return free_key_ == none; }
  /// Adds a key as the one updated last. Requires !keys_full(); it must get a slice next.
  uint32_t add_key(uint64_t hash, uint32_t clock);
  /// The key was updated.
  void touch(uint32_t key) { index_.touch(key); }
  uint32_t least_recent_key() const { return index_.least_recent(); }
  Key& operator[](uint32_t key) { return keys_[key]; }
  const Key& operator[](uint32_t key) const { return keys_[key]; }
  uint32_t clock_of(uint32_t key) const { return index_.clock_of(key); }
  /// The keys of a clock, in no particular order; none at the end.
  uint32_t first_of(uint32_t clock) const { return index_.first_of(clock); }
  uint32_t next_of_clock(uint32_t key) const { return index_.next_of_clock(key); }

  /// The slice of a key that starts here, or none.
  uint32_t find_slice(uint32_t key, int64_t start_ms) const;
  /// Requires that the key has no slice with this start.
  void add_slice(uint32_t key, int64_t start_ms, uint32_t slice);
  /// Its key goes with it if it was the last one.
  void remove_slice(uint32_t slice);
  int64_t start_of(uint32_t slice) const { return slices_[slice].start_ms; }
  uint32_t key_of(uint32_t slice) const { return slices_[slice].key; }
  /// The next one of the same key, by start; none at the end.
  uint32_t newer(uint32_t slice) const { return slices_[slice].newer; }

 private:
  struct Slice {
    int64_t start_ms = 0;
    uint32_t key = none;
    uint32_t older = none, newer = none;
  };

  KeyIndex index_;
  std::span<Key> keys_;  // of a free place, `newest` is the next free one
  std::span<Slice> slices_;
  uint32_t free_key_ = none;
};

}  // namespace weir
