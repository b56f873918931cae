// Stable hashes (XXH3, xxHash 0.8): the same bytes give the same number on every architecture and in every version, for
// they are stored: keys, layouts, the session tail and the `weir-id` of results rest on them.
#pragma once

#include "agent/base/bytes.h"

namespace weir {

struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};

uint64_t hash64(Bytes bytes);
/// `seed` chains: hash64(b, hash64(a)) tells ("ab","c") from ("a","bc").
uint64_t hash64(Bytes bytes, uint64_t seed);
Hash128 hash128(Bytes bytes);

/// Goes on from `hash` with the bytes of one more number.
template <class T>
requires std::is_arithmetic_v<T> uint64_t hash_chain(uint64_t hash, T value) {
  return hash64({reinterpret_cast<const uint8_t*>(&value), sizeof value}, hash);
}

}  // namespace weir
