// OwnWindow: what the windows of a key's own have in common: sessions, counts, states and sliding windows begin and end with
// what a key's records say, not with a grid of time, so each is a KeyedFunction. A result has the key fields, the aggregates,
// window_start and window_end (the end is not part of the window) and, where windows may fire more than once, `pane`; its event
// time is the end less 1 ms. Made at start-up; never allocates after that.
#pragma once

#include "agent/operators/aggregate_set.h"
#include "agent/operators/keyed_function.h"
#include "agent/operators/saturating.h"

namespace weir {

/// Every event time is before it, so a timer at it fires at the end of the input only.
constexpr int64_t end_of_input_ms = INT64_MAX - 1;

struct WindowSpan {
  int64_t start_ms = 0;
  int64_t end_ms = 0;
};

/// Early results of a window: when the next one is due, for windows that hand on what they have got so far. Stored as an i64
/// behind what a window's own state begins with. An early result is due when the watermark has reached start + n * every - 1;
/// there is one only if records came since the last.
class EarlyResults {
 public:
  static constexpr int64_t none_ms = INT64_MAX;
  explicit EarlyResults(int64_t every_ms = 0) : every_ms_(every_ms) {}

  bool wanted() const { return every_ms_ > 0; }
  /// Bytes of state.
  uint32_t bytes() const { return wanted() ? sizeof(int64_t) : 0; }
  /// The first start + n * every behind start and behind `reached_ms`.
  int64_t first_after(int64_t start_ms, int64_t reached_ms) const;
  /// -n, of the early result at start + n * every.
  int64_t pane_of(int64_t start_ms, int64_t at_ms) const;

 private:
  int64_t every_ms_;
};

struct OwnWindowParts {
  Schema fields;  // of a result: see window_fields()
  AggregateSet aggregates;
  bool panes = false;  // results have the field `pane`
};

class OwnWindow : public KeyedFunction {
 public:
  const Schema& schema() const override { return parts_.fields; }

 protected:
  /// Takes its row from the pool "<pool>.row".
  OwnWindow(OwnWindowParts parts, Arena& arena, std::string_view pool);

  const AggregateSet& aggregates() const { return parts_.aggregates; }
  uint32_t accumulator_bytes() const { return static_cast<uint32_t>(parts_.aggregates.bytes()); }
  /// `mark` tells results of one key with the same span apart.
  void emit(KeyContext& context, const uint8_t* accumulators, WindowSpan span, int64_t pane, uint64_t mark);

 private:
  OwnWindowParts parts_;
  std::span<Value> row_;
};

/// A condition over a record; null is no.
inline bool holds(const Program& condition, const Record& record) {
  const Value value = condition.evaluate(record.values);
  return !value.is_null() && value.as_bool();
}

}  // namespace weir
