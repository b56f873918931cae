// KeyTable: from a key to the number of the place where its owner keeps it. Open addressing with linear probing over arena
// memory, at most two thirds full, erased by shifting back, so that there are no tombstones and a lookup never gets slower
// with age. The key's bytes stay with the owner: the table knows hashes and asks back before it believes one. Owned by one
// operator; one thread; never allocates after it was made. 8 bytes per entry.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "agent/base/arena.h"
#include "agent/base/function_ref.h"

namespace weir {

class KeyTable {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  /// Takes its memory from `arena` as the pool `pool`. Requires 1 <= keys_max <= 2^30.
  KeyTable(uint32_t keys_max, Arena& arena, std::string_view pool);

  /// The place of the key with this hash for which `is_key(place)` says yes, or none. `is_key` is asked only about places whose
  /// 32 hash bits agree.
  uint32_t find(uint64_t hash, FunctionRef<bool(uint32_t place)> is_key) const;
  /// Requires that the key is not in the table and that size() < keys_max.
  void insert(uint64_t hash, uint32_t place);
  void clear();
  /// Requires that this pair was inserted.
  void erase(uint64_t hash, uint32_t place);

  uint32_t size() const { return size_; }

 private:
  struct Entry {
    uint32_t hash = 0;
    uint32_t place = none;
  };

  uint32_t after(uint32_t position) const { return (position + 1) & mask_; }

  uint32_t keys_max_;
  std::span<Entry> entries_;
  uint32_t mask_;
  uint32_t size_ = 0;
};

}  // namespace weir
