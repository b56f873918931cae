// ValueCell: one value of a known type in a fixed number of stored bytes, at any alignment. All zero bytes mean none. Layout:
// u8 present, then 8 bytes (int, float, time), 1 byte (bool), or u16 length and max_length bytes (string).
#pragma once

#include <cstdint>
#include <cstring>

#include "agent/model/value.h"

namespace weir {

template <class T>
T load(const uint8_t* at) {
  T value;
  memcpy(&value, at, sizeof value);
  return value;
}

template <class T>
void store(uint8_t* at, T value) {
  memcpy(at, &value, sizeof value);
}

class ValueCell {
 public:
  /// max_length counts for strings only and must be below 65536.
  ValueCell(Type type, uint32_t max_length) : max_length_(max_length), type_(type) {}

  uint32_t bytes() const;
  bool present(const uint8_t* at) const { return *at != 0; }
  /// Requires a value of the cell's type; a string must not be longer than max_length.
  void put(uint8_t* at, const Value& value) const;
  /// Null if there is none. A string views the cell.
  Value get(const uint8_t* at) const;
  /// Whether bytes that come from a disk can be read by get().
  bool valid(const uint8_t* at) const;

 private:
  uint32_t max_length_;
  Type type_;
};

}  // namespace weir
