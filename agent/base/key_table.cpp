#include "agent/base/key_table.h"

#include <algorithm>
#include <bit>
#include <string>

namespace weir {
namespace {

uint32_t entries_for(uint32_t keys_max) {
  WEIR_ASSERT(keys_max >= 1 && keys_max <= uint32_t{1} << 30);
  return std::bit_ceil(keys_max + keys_max / 2 + 1);
}

std::string reason_for(uint32_t keys_max) {
  return std::to_string(entries_for(keys_max)) + " hash entries x 8 bytes for " + std::to_string(keys_max) + " keys";
}

}  // namespace

KeyTable::KeyTable(uint32_t keys_max, Arena& arena, std::string_view pool)
    : keys_max_(keys_max),
      entries_(arena.take<Entry>(entries_for(keys_max), pool, reason_for(keys_max))),
      mask_(static_cast<uint32_t>(entries_.size() - 1)) {}

void KeyTable::clear() {
  std::ranges::fill(entries_, Entry{});
  size_ = 0;
}

uint32_t KeyTable::find(uint64_t hash, FunctionRef<bool(uint32_t)> is_key) const {
  const auto wanted = static_cast<uint32_t>(hash);
  for (uint32_t position = wanted & mask_; entries_[position].place != none; position = after(position)) {
    const Entry& entry = entries_[position];
    if (entry.hash == wanted && is_key(entry.place)) return entry.place;
  }
  return none;
}

void KeyTable::insert(uint64_t hash, uint32_t place) {
  WEIR_ASSERT(size_ < keys_max_ && place != none);
  uint32_t position = static_cast<uint32_t>(hash) & mask_;
  while (entries_[position].place != none) position = after(position);
  entries_[position] = {static_cast<uint32_t>(hash), place};
  ++size_;
}

void KeyTable::erase(uint64_t hash, uint32_t place) {
  uint32_t hole = static_cast<uint32_t>(hash) & mask_;
  while (entries_[hole].place != place) {
    WEIR_ASSERT(entries_[hole].place != none);
    hole = after(hole);
  }
  // Whatever stands behind the hole moves into it, unless that would put it in front of its home.
  for (uint32_t next = after(hole); entries_[next].place != none; next = after(next)) {
    const uint32_t home = entries_[next].hash & mask_;
    if (((next - home) & mask_) < ((next - hole) & mask_)) continue;
    entries_[hole] = entries_[next];
    hole = next;
  }
  entries_[hole] = {};
  --size_;
}

}  // namespace weir
