// Record: what runs through a pipeline. A view of values that somebody else owns (the decoder's row, an operator's output
// row), good until the call that passes it returns.
#pragma once

#include <cstdint>
#include <span>

#include "agent/model/value.h"

namespace weir {

struct Record {
  std::span<const Value> values;  // in the order of the schema at this point of the pipeline
  int64_t event_time_ms = 0;
  /// The source offset of the message that it came from or, for a result, of the newest message that took part.
  uint64_t offset = 0;
  /// The account books each message once, by what becomes of its own record; results that an operator makes
  /// (a window's aggregate) are derived and not booked again.
  bool derived = false;
  /// Makes the identity of a result: hash of step and key and window (derived), or of the source offset. Set by the
  /// operator that makes the record; the sink adds pipeline and ordinal.
  uint64_t identity = 0;
  /// Processing time: the wall clock at the start of the process plus what has passed since, ms.
  int64_t processing_ms = 0;
  /// Whose event time it follows: 0, or the place of its device's own clock (event_time.per).
  uint32_t clock = 0;
};

/// What became of a message's own record; the account adds up over these.
enum class Outcome : uint8_t {
  Applied,     // reached state or the sink
  Filtered,    // a filter said no
  Late,        // its window had already fired
  DeadLetter,  // set aside; the operator has handed over the reason
};

}  // namespace weir
