#include "agent/operators/window_index.h"

#include <string>

namespace weir {
namespace {

template <class T>
std::span<T> take(Arena& arena, uint32_t count, std::string_view pool, const char* name, const char* what) {
  return arena.take<T>(count, std::string(pool) + name,
                       std::to_string(count) + " " + what + " x " + std::to_string(sizeof(T)) + " bytes");
}

}  // namespace

WindowIndex::WindowIndex(uint32_t keys_max, uint32_t slices_max, uint32_t clocks, Arena& arena, std::string_view pool)
    : index_(keys_max, clocks, arena, pool),
      keys_(take<Key>(arena, keys_max, pool, ".windows", "keys")),
      slices_(take<Slice>(arena, slices_max, pool, ".slices", "slices")) {
  for (uint32_t key = keys_max; key-- > 0;) {
    keys_[key].newest = free_key_;
    free_key_ = key;
  }
}

uint32_t WindowIndex::add_key(uint64_t hash, uint32_t clock) {
  WEIR_ASSERT(free_key_ != none);
  const uint32_t key = free_key_;
  free_key_ = keys_[key].newest;
  keys_[key] = Key{};
  index_.add(key, hash, clock);
  return key;
}

uint32_t WindowIndex::find_slice(uint32_t key, int64_t start_ms) const {
  uint32_t slice = keys_[key].newest;
  while (slice != none && slices_[slice].start_ms > start_ms) slice = slices_[slice].older;
  return slice != none && slices_[slice].start_ms == start_ms ? slice : none;
}

void WindowIndex::add_slice(uint32_t key, int64_t start_ms, uint32_t slice) {
  uint32_t older = keys_[key].newest;
  uint32_t newer = none;
  for (; older != none && slices_[older].start_ms > start_ms; older = slices_[older].older) newer = older;
  WEIR_ASSERT(older == none || slices_[older].start_ms != start_ms);
  slices_[slice] = {.start_ms = start_ms, .key = key, .older = older, .newer = newer};
  (older == none ? keys_[key].oldest : slices_[older].newer) = slice;
  (newer == none ? keys_[key].newest : slices_[newer].older) = slice;
}

void WindowIndex::remove_slice(uint32_t slice) {
  const Slice& gone = slices_[slice];
  Key& key = keys_[gone.key];
  (gone.older == none ? key.oldest : slices_[gone.older].newer) = gone.newer;
  (gone.newer == none ? key.newest : slices_[gone.newer].older) = gone.older;
  if (key.noted == slice) key.noted = none;
  if (key.newest != none) return;
  index_.remove(gone.key);
  key.newest = free_key_;
  free_key_ = gone.key;
}

}  // namespace weir
