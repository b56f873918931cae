// SpaceSaving: the most frequent of many values with a fixed number of counters over stored bytes (Metwally, Agrawal, El
// Abbadi, "Efficient computation of frequent and top-k elements in data streams", 2005). A value that has no counter takes over
// the one with the least count and begins with that count, which is noted as its possible error. After n values with m
// counters: count - error <= true count <= count, error <= n / m, and every value seen more than n / m times has a counter. Up
// to m different values it counts exactly.
//
// Layout: u32 counters in use, then per counter u64 count, u64 error, the value's cell. All zero bytes: nothing was added.
// Describes the bytes, owns none. add() and top() look at every counter.
#pragma once

#include <span>
#include <string>

#include "agent/model/schema.h"
#include "agent/operators/value_cell.h"

namespace weir {

class SpaceSaving {
 public:
  /// Counters a sketch may have.
  static constexpr uint32_t counters_max = 1024;

  SpaceSaving(const Field& field, uint32_t counters);

  uint32_t bytes() const { return counters_at + counters_ * counter_bytes_; }
  /// Requires a value of the field's type.
  void add(uint8_t* at, const Value& value) const;

  struct Entry {
    Value value;  // a string views the bytes
    uint64_t count = 0;
    uint64_t error = 0;
  };
  /// The most frequent first, of equal counts the smaller value; fills `entries` as far as there are counters in use and
  /// returns how many.
  size_t top(const uint8_t* at, std::span<Entry> entries) const;
  /// Whether bytes that come from a disk can be counters.
  bool valid(const uint8_t* at) const;

 private:
  static constexpr uint32_t counters_at = 4;
  static constexpr uint32_t cell_at = 16;

  uint32_t place(uint32_t index) const { return counters_at + index * counter_bytes_; }
  Entry entry(const uint8_t* at, uint32_t index) const;
  uint32_t counter_for(uint8_t* at, const Value& value) const;

  ValueCell cell_;
  uint32_t counters_;
  uint32_t counter_bytes_;
};

}  // namespace weir
