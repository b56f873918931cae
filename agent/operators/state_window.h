// State windows: a window of a key opens with a record for which `open` is true and goes on until one comes for which `close`
// is true: from the first record's event time to the last one's plus 1 ms. The record that opens a window belongs to it and is
// not asked whether it closes it. The one that closes it belongs to it as well, unless include_close is false: then the window
// ends before it, and it may open the next one. A condition that is null is not true.
//
// With a max_duration a window ends at the latest exactly that much after its first record, when the watermark or a record of
// the key says so; a record for which `open` is true then opens the next one.
//
// A window fires with the record that closes it. Records of a key must come in the order of their event times; an older one is
// late, and so is one that would open a window at or behind the watermark. A record outside of a window is filtered out. A
// window that is open at the end of the input has not closed and says nothing, unless it has a max_duration.
//
// With emit_every a window also hands on what it has got so far when the watermark has reached its start + n * emit_every, if
// records came since the last such time; `pane` is then -n, and 0 when it closes.
//
// State of a key: u8 whether a window is open, i64 its start, i64 event time of its last record, with emit_every i64 when an
// early result is due, accumulators. A key gives it
// back when the watermark has reached the end of its window. Constant time.
#pragma once

#include <memory>

#include "agent/operators/own_window.h"

namespace weir {

struct StateWindows {
  Program open;   // bool
  Program close;  // bool
  std::string open_text;
  std::string close_text;
  bool include_close = true;
  int64_t max_duration_ms = 0;  // 0: no limit
  int64_t emit_every_ms = 0;    // 0: no early results
};

/// Of one key; if it fits 32 bits the windows can be made.
uint64_t state_bytes(const StateWindows& windows, const AggregateSet& aggregates);

std::unique_ptr<KeyedFunction> make_state_windows(StateWindows windows, OwnWindowParts parts, Arena& arena,
                                                  std::string_view pool);

}  // namespace weir
