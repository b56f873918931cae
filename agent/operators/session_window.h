// Session windows: a session of a key begins with a record and goes on while the next one comes within the gap; its window is
// [first, last + gap). Sessions that touch are one, a gap of exactly `gap` included, as in Flink; a late record may bridge two.
//
// A session fires when the watermark has reached its end less 1 ms. With an allowed lateness it is kept that much longer: a
// record that falls into a session which has fired makes it fire again, at once if its end has passed, with the next `pane`;
// one that finds no session fires one of its own. Lateness is judged on the window that a record would be part of, so one that
// reaches a session still open is never late.
//
// With a max_duration no session is longer: its window ends at most that much after its first record, and what comes then
// begins another. A record that comes out of order and would make a session longer than that begins one of its own, which may
// then overlap the other.
//
// With emit_every a session also hands on what it has got so far when the watermark (or processing time) has reached its start
// + n * emit_every before its end, if records came since the last such time; `pane` is then -n.
//
// Of processing time a session is over once a gap has passed without a record; a gap of exactly `gap` ends it, so that a tick
// which comes late merges nothing. It fires at the tick that reaches its end, or at the end of the input.
//
// State of a key: u8 sessions, then max_sessions times: i64 first, i64 last, u32 pane, u8 whether it has to fire, with
// emit_every i64 when an early result is due, accumulators;
// in the order of their first records. A key has no state once its last session is gone. When a session more finds no room:
// Evict::Reject refuses the record with the reason "capacity"; Oldest gives up the key's earliest session, Emit hands it on
// first; both are counted. A record costs a walk over the key's sessions.
#pragma once

#include <memory>

#include "agent/operators/evict.h"
#include "agent/operators/own_window.h"

namespace weir {

struct SessionWindows {
  int64_t gap_ms = 1;
  int64_t max_duration_ms = 0;  // 0: no limit
  int64_t allowed_lateness_ms = 0;
  int64_t emit_every_ms = 0;  // 0: no early results
  uint32_t max_sessions = 4;  // of one key, those included that have fired and wait for late records
  bool processing_time = false;
  Evict evict = Evict::Reject;
};

constexpr uint32_t max_sessions_limit = 255;

/// Of one key; if it fits 32 bits the windows can be made.
uint64_t state_bytes(const SessionWindows& windows, const AggregateSet& aggregates);

/// `id` is the step's, for what it says about refused records. Requires 1 <= max_sessions <= max_sessions_limit.
std::unique_ptr<KeyedFunction> make_session_windows(const SessionWindows& windows, std::string_view id, OwnWindowParts parts,
                                                    Arena& arena, std::string_view pool);

}  // namespace weir
