// KeyCodec: the key of a record as bytes, and back. Per key field a byte (0 null, 1 a value), then 8 bytes (int, float, time),
// 1 byte (bool), or u16 length and the text. Equal keys have equal bytes: -0.0 is stored as 0.0. A null is a key of its own.
// Made at start-up, then read only; never allocates afterwards.
#pragma once

#include <vector>

#include "agent/base/bytes.h"
#include "agent/base/text_writer.h"
#include "agent/model/schema.h"

namespace weir {

class KeyCodec {
 public:
  /// `positions` are those of the key fields in the input; they must be below its size.
  KeyCodec(const Schema& input, std::vector<uint32_t> positions);

  size_t size() const { return fields_.size(); }
  const Field& operator[](size_t index) const { return fields_[index]; }
  uint64_t bytes_max() const { return bytes_max_; }

  /// The key of a record with these values, written to `room`, which has bytes_max() bytes. Strings must keep to their bound.
  Bytes encode(std::span<const Value> values, std::span<uint8_t> room) const;
  /// One value per key field; strings view `key`. False if the bytes are no key of these fields.
  bool decode(Bytes key, std::span<Value> values) const;
  /// A total order of keys, field by field: null first, then by value, text by its bytes. Requires bytes that decode() takes.
  int compare(Bytes left, Bytes right) const;

  /// `device = "d1", channel = 3`, of one value per key field.
  void describe(std::span<const Value> key, TextWriter& out) const;
  /// Why a record with these values finds no room: `step <id>: all max_keys = N keys <are what>; no room for device = "d1"`.
  void describe_no_room(std::string_view id, uint64_t max_keys, std::string_view are_what, std::span<const Value> values,
                        TextWriter& out) const;

 private:
  std::vector<Field> fields_;
  std::vector<uint32_t> positions_;
  uint64_t bytes_max_ = 0;
};

}  // namespace weir
