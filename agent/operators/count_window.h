// Count windows: a window of a key's last `count` records, in the order of their arrival, each time that `every` more have
// come. Event time does not matter to them, so no record is ever late. window_start is the earliest event time of the window's
// records, window_end 1 ms after the latest.
//
// A window fires with the record that fills it. With emit_partial one also fires each `every` records before the first `count`
// have come, and at the end of the input the window that is open fires with what it has; without it that is not told.
//
// Memory: records are gathered in slices of gcd(count, every), so that a slice belongs to a window as a whole: count / gcd
// accumulators. State of a key: u32 records in the slice that is being filled, u32 its place, u32 full slices, u32 of them
// since the last window, then per slice: i64 least and i64 greatest event time, accumulators. Where windows do not overlap a
// key has no state between two of them. A record costs constant time, and one merge per slice where a window fires.
//
// Slices are merged in the order of arrival. Aggregates that follow a value from one event time to the next (increase,
// time_weighted_avg) are therefore exact over overlapping windows only as long as a key's records come in the order of event
// time; all others always are.
#pragma once

#include <memory>

#include "agent/operators/own_window.h"

namespace weir {

struct CountWindows {
  uint32_t count = 1;
  uint32_t every = 1;  // 1 <= every <= count
  bool emit_partial = false;
};

/// Of one key; if it fits 32 bits the windows can be made.
uint64_t state_bytes(const CountWindows& windows, const AggregateSet& aggregates);

std::unique_ptr<KeyedFunction> make_count_windows(const CountWindows& windows, OwnWindowParts parts, Arena& arena,
                                                  std::string_view pool);

}  // namespace weir
