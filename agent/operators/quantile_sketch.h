// QuantileSketch: percentiles of numbers from a fixed number of bytes, by the idea of DDSketch (Masson, Rim, Lee,
// arXiv:1908.10693): values are counted in buckets whose width grows with the magnitude, so that a bucket's value is wrong by
// at most the share `error` of what it stands for. Buckets follow a quadratic approximation of the logarithm instead of the
// logarithm, which takes 8 % more of them and gives the same bits on every architecture.
//
// Only buckets that hold something are kept, sorted; there is room for buckets_for(error) of them, 6 / error + 1: enough for
// sixteen powers of two (1 : 65536) of one sign without a gap, or eight (1 : 256) of each sign. At the ends of the range:
//   - when there is no room for one more bucket, the bucket of the smallest magnitude is given up: its values count as 0. They
//   are
//     smaller than 1/65536 of the largest magnitude, or 1/256 of it where there are values of both signs;
//   - magnitudes below 2^-126 count as 0, those from 2^127 on (1.7e38) share one bucket;
//   - a bucket counts up to 2^32 - 1 values and stays there.
// The smallest and the largest value are kept as they are, and no result leaves them. What is kept depends on the values alone,
// not on their order, so merging is exact.
//
// The bytes belong to the caller, at any alignment; all zero bytes are an empty sketch. Layout: f64 smallest, f64 largest, u32
// count of zeros, u32 count of buckets, then per bucket i16 index (its sign is the values' sign) and u32 count. add() is a
// binary search, and a move of the buckets behind for a new one; quantile() is linear in the buckets; no heap.
#pragma once

#include <cstdint>

namespace weir {

class QuantileSketch {
 public:
  /// `error` from 0.005 to 0.1.
  explicit QuantileSketch(double error);

  static uint32_t buckets_for(double error) { return static_cast<uint32_t>(6 / error + 1.5); }
  uint32_t bytes() const;

  void add(uint8_t* at, double value) const;
  void merge(uint8_t* into, const uint8_t* from) const;
  bool empty(const uint8_t* at) const;
  /// The value at place floor(q * (count - 1)) of the sorted values, counted from 0, within the error. Requires 0 <= q <= 1 and
  /// that it is not empty.
  double quantile(const uint8_t* at, double q) const;
  /// Whether bytes that come from a disk can be a sketch.
  bool valid(const uint8_t* at) const;

 private:
  int16_t index_of(double value) const;
  double lower_bound(int index) const;
  double value_of(int16_t index) const;
  void count(uint8_t* at, int16_t index, uint32_t times) const;

  double buckets_per_octave_;
  uint32_t buckets_max_;
};

}  // namespace weir
