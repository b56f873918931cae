// KeyIndex: which keys a keyed step holds, in memory only; it is built again from the stored slots after a restart. It finds a
// key by its hash, knows which key was updated longest ago, and which keys follow one clock. A key's number is its slot in the
// KeyedState. Owned by one operator; reactor thread; never allocates after it was made; every call is constant time.
#pragma once

#include "agent/base/key_table.h"

namespace weir {

class KeyIndex {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  /// Takes the pools "<pool>.key-table" and "<pool>.keys". clocks >= 1.
  KeyIndex(uint32_t keys_max, uint32_t clocks, Arena& arena, std::string_view pool);

  uint32_t find(uint64_t hash, FunctionRef<bool(uint32_t slot)> is_key) const { return table_.find(hash, is_key); }
  /// Adds a key as the one updated last.
  void add(uint32_t slot, uint64_t hash, uint32_t clock);
  void remove(uint32_t slot);
  /// The key was updated.
  void touch(uint32_t slot);
  uint32_t least_recent() const { return least_recent_; }

  uint32_t clock_of(uint32_t slot) const { return keys_[slot].clock; }
  /// The keys of a clock, in no particular order; none at the end.
  uint32_t first_of(uint32_t clock) const { return first_of_clock_[clock]; }
  uint32_t next_of_clock(uint32_t slot) const { return keys_[slot].next_of_clock; }

 private:
  struct Key {
    uint64_t hash = 0;
    uint32_t more_recent = none, less_recent = none;
    uint32_t next_of_clock = none, previous_of_clock = none;
    uint32_t clock = 0;
  };

  void link_most_recent(uint32_t slot);
  void unlink(uint32_t slot);

  KeyTable table_;
  std::span<Key> keys_;
  std::span<uint32_t> first_of_clock_;
  uint32_t most_recent_ = none;
  uint32_t least_recent_ = none;
};

}  // namespace weir
