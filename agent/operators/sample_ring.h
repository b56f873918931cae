// SampleRing: the last numbers of a key, with or without their event times, in a fixed number of state bytes; when it is full
// the oldest gives way. The object knows the shape and serves all keys; the bytes belong to the key, all zero when empty.
// Layout: u16 place of the oldest, u16 count, then the samples: f64 value, i64 event time (if timed). Constant
// time, but for mean() and valid().
#pragma once

#include <cmath>

#include "agent/model/state_layout.h"
#include "agent/operators/aggregate_sums.h"
#include "agent/operators/value_cell.h"

namespace weir {

class SampleRing {
 public:
  static constexpr uint32_t samples_max = 1000;

  /// 1 <= samples <= samples_max.
  SampleRing(uint32_t samples, bool timed) : samples_(samples), sample_bytes_(timed ? 16 : 8), timed_(timed) {}

  uint32_t bytes() const { return header_bytes + samples_ * sample_bytes_; }
  uint32_t samples() const { return samples_; }
  uint32_t count(const uint8_t* at) const { return load<uint16_t>(at + count_at); }
  /// The sample at `index`, from 0, the oldest, to count() - 1, the newest.
  double value(const uint8_t* at, uint32_t index) const { return load<double>(at + place(at, index)); }
  int64_t time_ms(const uint8_t* at, uint32_t index) const { return load<int64_t>(at + place(at, index) + 8); }

  void describe(StoredFields& fields) const {
    StoredFields& sample = fields.add_ring("samples", samples_);
    sample.add_f64("value");
    if (timed_) sample.add_time("time");
  }

  void clear(uint8_t* at) const { store(at, uint32_t{0}); }
  void drop_oldest(uint8_t* at) const {
    store(at, static_cast<uint16_t>((load<uint16_t>(at) + 1U) % samples_));
    store(at + count_at, static_cast<uint16_t>(count(at) - 1));
  }
  void push(uint8_t* at, double value, int64_t time_ms = 0) const {
    if (count(at) == samples_) drop_oldest(at);
    uint8_t* sample = at + place(at, count(at));
    store(sample, value);
    if (timed_) store(sample + 8, time_ms);
    store(at + count_at, static_cast<uint16_t>(count(at) + 1));
  }

  /// Computed anew from all samples, so that no error piles up; exactly the value if all are the same. Requires count() > 0.
  double mean(const uint8_t* at) const {
    const double first = value(at, 0);
    bool varies = false;
    CompensatedSum sum;
    for (uint32_t index = 0; index < count(at); ++index) {
      varies |= value(at, index) != first;
      sum.add(value(at, index));
    }
    return varies ? sum.total() / count(at) : first;
  }

  /// Whether bytes that come from a disk can be a ring of finite numbers with times that do not go back.
  bool valid(const uint8_t* at) const {
    if (load<uint16_t>(at) >= samples_ || count(at) > samples_) return false;
    for (uint32_t index = 0; index < count(at); ++index) {
      if (!std::isfinite(value(at, index))) return false;
      if (timed_ && index > 0 && time_ms(at, index) < time_ms(at, index - 1)) return false;
    }
    return true;
  }

 private:
  static constexpr uint32_t count_at = 2;
  static constexpr uint32_t header_bytes = 4;

  uint32_t place(const uint8_t* at, uint32_t index) const {
    return header_bytes + (load<uint16_t>(at) + index) % samples_ * sample_bytes_;
  }

  uint32_t samples_;
  uint32_t sample_bytes_;
  bool timed_;
};

}  // namespace weir
