#include "agent/operators/key_index.h"

#include <algorithm>

namespace weir {

KeyIndex::KeyIndex(uint32_t keys_max, uint32_t clocks, Arena& arena, std::string_view pool)
    : table_(keys_max, arena, std::string(pool) + ".key-table"),
      keys_(arena.take<Key>(keys_max, std::string(pool) + ".keys",
                            std::to_string(keys_max) + " keys x " + std::to_string(sizeof(Key)) + " bytes")),
      first_of_clock_(arena.take<uint32_t>(clocks, std::string(pool) + ".keys", "")) {
  std::ranges::fill(first_of_clock_, none);
}

void KeyIndex::add(uint32_t slot, uint64_t hash, uint32_t clock) {
  WEIR_ASSERT(clock < first_of_clock_.size());
  table_.insert(hash, slot);
  Key& key = keys_[slot];
  key = Key{};
  key.hash = hash;
  key.clock = clock;
  key.next_of_clock = first_of_clock_[clock];
  if (key.next_of_clock != none) keys_[key.next_of_clock].previous_of_clock = slot;
  first_of_clock_[clock] = slot;
  link_most_recent(slot);
}

void KeyIndex::remove(uint32_t slot) {
  const Key& key = keys_[slot];
  table_.erase(key.hash, slot);
  (key.previous_of_clock == none ? first_of_clock_[key.clock] : keys_[key.previous_of_clock].next_of_clock) = key.next_of_clock;
  if (key.next_of_clock != none) keys_[key.next_of_clock].previous_of_clock = key.previous_of_clock;
  unlink(slot);
}

void KeyIndex::touch(uint32_t slot) {
  if (slot == most_recent_) return;
  unlink(slot);
  link_most_recent(slot);
}

void KeyIndex::link_most_recent(uint32_t slot) {
  keys_[slot].more_recent = none;
  keys_[slot].less_recent = most_recent_;
  (most_recent_ == none ? least_recent_ : keys_[most_recent_].more_recent) = slot;
  most_recent_ = slot;
}

void KeyIndex::unlink(uint32_t slot) {
  const Key& key = keys_[slot];
  (key.more_recent == none ? most_recent_ : keys_[key.more_recent].less_recent) = key.less_recent;
  (key.less_recent == none ? least_recent_ : keys_[key.less_recent].more_recent) = key.more_recent;
}

}  // namespace weir
