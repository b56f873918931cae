// AggregateSet: the aggregations of one step as a unit: one span of bytes holds the accumulators of all of them, side by side
// and without gaps. The set says what to do with the bytes, its user where they are: in a window, a slice, a session. All zero
// bytes are the empty accumulators; bytes need no alignment, hold no address and may be copied. Made at start-up, then only
// read; reactor thread; never allocates after that. add(), merge() and results() cost one call per aggregation.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/model/record.h"
#include "agent/model/schema.h"
#include "agent/model/state_layout.h"
#include "agent/operators/aggregate.h"

namespace weir {

/// The call and its filter: "sum(x) if x > 2".
std::string call_text(const Aggregation& aggregation);

class AggregateSet {
 public:
  void push_back(Aggregation aggregation);
  size_t size() const { return parts_.size(); }
  bool empty() const { return parts_.empty(); }
  const Aggregation& operator[](size_t index) const { return parts_[index]; }

  /// Of all accumulators together.
  uint64_t bytes() const { return bytes_; }
  /// The fields that results() fills, in the order in which they were added.
  void append_fields(Schema& schema) const;
  /// Adds a field for each accumulator: its name, its call and its filter.
  void describe(StoredFields& fields) const;

  /// Adds the record to each aggregation whose filter is true for it.
  void add(uint8_t* at, const Record& record) const;
  /// One aggregation's share of add(), for values that were kept: whether the record counts for it, and its argument (null if
  /// it has none).
  bool counts(size_t index, const Record& record) const;
  Value argument(size_t index, const Record& record) const;
  void add_value(uint8_t* at, size_t index, const Value& value, int64_t event_time_ms) const;
  /// Aggregate::merge for each: `from` arrived after `into`, and no event time of it is earlier.
  void merge(uint8_t* into, const uint8_t* from) const;
  /// One value per aggregation; strings view the accumulators. Requires row.size() >= size().
  void results(const uint8_t* at, std::span<Value> row) const;
  /// Whether bytes that come from a disk can be accumulators of this set.
  bool valid(const uint8_t* at) const;

 private:
  std::vector<Aggregation> parts_;
  std::vector<uint32_t> at_;  // one per part: where its accumulator begins
  uint64_t bytes_ = 0;
};

}  // namespace weir
