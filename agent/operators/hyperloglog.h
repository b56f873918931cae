// HyperLogLog: about how many different values were added, in a fixed number of stored bytes: 2^precision registers of one
// byte, each the longest run of zeros (plus one) seen among the hashes that chose it. All zero bytes: nothing was added. Adding
// twice changes nothing; merging gives what adding all to one would have given.
//
// The estimate is that of Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), algorithm 6: without
// tables and without a switch between ranges, unbiased from 0 up. Its standard error is 1.04 / sqrt(2^precision): 6.5 % with
// 256 bytes, 3.3 % with 1024, 1.6 % with 4096. It uses + - * / and square roots only, so it is the same on every architecture.
//
// Describes the bytes, owns none; a plain value. Constant time; estimate() looks at every register.
#pragma once

#include "agent/model/value.h"

namespace weir {

class HyperLogLog {
 public:
  static constexpr uint32_t precision_min = 4;
  static constexpr uint32_t precision_max = 14;

  /// Requires precision_min <= precision <= precision_max.
  explicit HyperLogLog(uint32_t precision);

  uint32_t bytes() const { return uint32_t{1} << precision_; }
  /// Of an estimate, as a part of it: 0.0325 for precision 10.
  double standard_error() const;

  /// Whether adding a value with this hash would change anything.
  bool changes(const uint8_t* registers, uint64_t hash) const;
  void add(uint8_t* registers, uint64_t hash) const;
  void merge(uint8_t* into, const uint8_t* from) const;
  /// At least 0.
  double estimate(const uint8_t* registers) const;
  /// Whether bytes that come from a disk can be registers.
  bool valid(const uint8_t* registers) const;

 private:
  uint32_t place(uint64_t hash) const { return static_cast<uint32_t>(hash >> (64 - precision_)); }
  uint8_t rank(uint64_t hash) const;
  /// The largest rank.
  uint32_t rank_max() const { return 64 - precision_ + 1; }

  uint32_t precision_;
};

/// The hash by which values are told apart; equal values have equal hashes (0.0 and -0.0 are equal). Requires that it is not
/// null.
uint64_t distinct_hash(const Value& value);

}  // namespace weir
