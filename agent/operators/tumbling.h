// Tumbling windows: which window an event time belongs to, as in Flink. All times in ms; a window is [start, start + size).
// Where that would leave the range of int64 it saturates, so that no event time is undefined.
#pragma once

#include <cstdint>

namespace weir {

struct TumblingWindows {
  int64_t size_ms = 1;    // > 0
  int64_t offset_ms = 0;  // windows begin at multiples of the size plus this; |offset| < size

  /// offset + floor((t - offset) / size) * size.
  constexpr int64_t start_of(int64_t event_time_ms) const {
    int64_t into = event_time_ms % size_ms - offset_ms % size_ms;
    if (into < 0) into += size_ms;
    if (into < 0) into += size_ms;
    if (into >= size_ms) into -= size_ms;
    int64_t start = 0;
    return __builtin_sub_overflow(event_time_ms, into, &start) ? INT64_MIN : start;
  }
  constexpr int64_t end_of(int64_t start_ms) const {
    int64_t end = 0;
    return __builtin_add_overflow(start_ms, size_ms, &end) ? INT64_MAX : end;
  }
  /// The last event time that belongs to the window: it is due when the watermark has reached this.
  constexpr int64_t last_of(int64_t start_ms) const { return end_of(start_ms) - 1; }
};

}  // namespace weir
