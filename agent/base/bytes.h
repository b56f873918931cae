// Bounded readers and writers of little-endian bytes: every durable format of weir goes through these two, so that a file
// written on one architecture opens on another and a short or hostile buffer is an error, not an overrun.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

#include "agent/base/assert.h"

namespace weir {

using Bytes = std::span<const uint8_t>;

inline Bytes as_bytes(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }
inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "durable formats are written by memcpy on little-endian machines");

/// Appends to a fixed buffer. Running out of room is remembered (`overflowed()`), never written past.
class ByteWriter {
 public:
  ByteWriter() = default;
  explicit ByteWriter(std::span<uint8_t> buffer) : buffer_(buffer) {}

  template <class T>
  requires std::is_arithmetic_v<T>
  void put(T value) {
    if (uint8_t* to = claim(sizeof value)) memcpy(to, &value, sizeof value);
  }
  void put_bytes(Bytes bytes) {
    if (bytes.empty()) return;
    if (uint8_t* to = claim(bytes.size())) memcpy(to, bytes.data(), bytes.size());
  }
  /// A 32-bit length, then the bytes.
  void put_sized(Bytes bytes) {
    put(static_cast<uint32_t>(bytes.size()));
    put_bytes(bytes);
  }
  void put_sized(std::string_view text) { put_sized(as_bytes(text)); }
  /// Writes over what already stands at `offset`; used for counts that are known only at the end.
  template <class T>
  requires std::is_arithmetic_v<T>
  void patch(size_t offset, T value) {
    WEIR_ASSERT(offset + sizeof value <= size_);
    memcpy(buffer_.data() + offset, &value, sizeof value);
  }

  size_t size() const { return size_; }
  size_t room() const { return buffer_.size() - size_; }
  bool overflowed() const { return overflowed_; }
  Bytes bytes() const { return {buffer_.data(), size_}; }
  void clear() {
    size_ = 0;
    overflowed_ = false;
  }
  /// Takes back what was written after `size`.
  void truncate(size_t size) {
    WEIR_ASSERT(size <= size_);
    size_ = size;
  }
  /// Room for `count` bytes that the caller fills in, or nullptr (and overflowed).
  uint8_t* claim(size_t count) {
    if (count > room()) {
      overflowed_ = true;
      return nullptr;
    }
    uint8_t* to = buffer_.data() + size_;
    size_ += count;
    return to;
  }

 private:
  std::span<uint8_t> buffer_;
  size_t size_ = 0;
  bool overflowed_ = false;
};

/// Reads what ByteWriter wrote. Reading past the end yields zeros and turns `ok()` false for good.
class ByteReader {
 public:
  ByteReader() = default;
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  template <class T>
  requires std::is_arithmetic_v<T> T get() {
    T value{};
    Bytes from = get_bytes(sizeof value);
    if (from.size() == sizeof value) memcpy(&value, from.data(), sizeof value);
    return value;
  }
  Bytes get_bytes(size_t count) {
    if (count > bytes_.size() - at_) {
      ok_ = false;
      at_ = bytes_.size();
      return {};
    }
    Bytes from = bytes_.subspan(at_, count);
    at_ += count;
    return from;
  }
  Bytes get_sized() { return get_bytes(get<uint32_t>()); }
  std::string_view get_sized_text() { return as_text(get_sized()); }

  bool ok() const { return ok_; }
  bool at_end() const { return at_ == bytes_.size(); }
  size_t remaining() const { return bytes_.size() - at_; }

 private:
  Bytes bytes_;
  size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace weir
