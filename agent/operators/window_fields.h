// The fields of a window's results: the key fields, the aggregates, window_start, window_end (not part of the window) and,
// where a window may fire more than once, `pane`. Start-up only.
#pragma once

#include <string>
#include <vector>

#include "agent/model/schema.h"
#include "agent/operators/aggregate_set.h"

namespace weir {

/// Why a window cannot be built, and which part of it is to blame.
struct WindowFault {
  enum class Part : uint8_t { Size, Hop, MaxKeys, KeyBy, Aggregate, EmitEvery };
  Part part = Part::Size;
  size_t index = 0;  // for KeyBy and Aggregate
  std::string message;
};

/// Whether the names of the fields are all different, and not too many. Empty: all is well.
std::vector<WindowFault> check_window_fields(const Schema& input, const std::vector<uint32_t>& key_fields,
                                             const AggregateSet& aggregates, bool panes);

/// Requires that check_window_fields() found nothing.
Schema window_fields(const Schema& input, const std::vector<uint32_t>& key_fields, const AggregateSet& aggregates, bool panes);

}  // namespace weir
