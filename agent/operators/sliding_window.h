// Sliding windows: with each record of a key, the aggregates over the key's records of the time (t - size, t] that have come so
// far, itself included (SQL's RANGE BETWEEN size PRECEDING AND CURRENT ROW). window_start is t - size + 1 ms, window_end t + 1
// ms.
//
// Records may come out of order as long as they are ahead of the watermark: each is answered over its own time, and answers
// that were given before are not given again. A record at or behind the watermark is late. Of equal times each is answered over
// those that came before it.
//
// A key keeps its last max_records records; when one more comes the oldest goes. If that one belonged to the window of the
// key's newest record, results are over fewer records than there were, and that is counted.
//
// State of a key: u32 records, then max_records times, in the order of event time: i64 event time, ArgumentRow. It is given
// back when the watermark has passed all windows that a kept record could belong to. A record costs an addition per record in
// its window: results are computed anew, so no rounding error piles up.
#pragma once

#include <memory>

#include "agent/operators/own_window.h"

namespace weir {

struct SlidingWindows {
  int64_t size_ms = 1;
  uint32_t max_records = 1;
};

/// Of one key; if it fits 32 bits the windows can be made.
uint64_t state_bytes(const SlidingWindows& windows, const AggregateSet& aggregates);

std::unique_ptr<KeyedFunction> make_sliding_windows(const SlidingWindows& windows, OwnWindowParts parts, Arena& arena,
                                                    std::string_view pool);

}  // namespace weir
