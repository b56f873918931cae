// FilterList: topic filters with their QoS, in the form in which the source stores them: one after the other, each
//
//     { uint8 qos, uint32 length, bytes, 0 }
//
// the closing zero not counted, so that the text can be handed to a C library as it stands. Fixed room from the arena.
#pragma once

#include <string_view>

#include "agent/base/arena.h"
#include "agent/base/bytes.h"
#include "agent/base/function_ref.h"

namespace weir {

class FilterList {
 public:
  FilterList() = default;
  explicit FilterList(std::span<uint8_t> room) : out_(room) {}

  static size_t encoded_bytes(std::string_view filter) { return 1 + 4 + filter.size() + 1; }

  /// False if there is no room.
  bool add(std::string_view filter, uint8_t qos);
  bool contains(std::string_view filter, uint8_t qos) const;
  /// The text is followed by a zero byte.
  void for_each(FunctionRef<void(std::string_view filter, uint8_t qos)> visit) const;
  void clear() { out_.clear(); }
  Bytes bytes() const { return out_.bytes(); }

  /// Whether `bytes` is a list. for_each of such bytes visits every filter.
  static bool valid(Bytes bytes);
  static void for_each_in(Bytes bytes, FunctionRef<void(std::string_view filter, uint8_t qos)> visit);

 private:
  ByteWriter out_;
};

}  // namespace weir
