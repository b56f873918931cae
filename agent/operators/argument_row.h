// ArgumentRow: what the aggregations of a step would take from one record, in a fixed number of stored bytes, so that the
// record can be added later and as often as needed. Per aggregation: u8 whether its filter lets the record count, then its
// argument as a ValueCell (nothing for count() without one). Made at start-up, then only read; never allocates after that.
#pragma once

#include "agent/operators/aggregate_set.h"
#include "agent/operators/value_cell.h"

namespace weir {

class ArgumentRow {
 public:
  /// The set must outlive this.
  explicit ArgumentRow(const AggregateSet& aggregates);

  uint32_t bytes() const { return bytes_; }
  void describe(StoredFields& fields) const;
  void put(uint8_t* at, const Record& record) const;
  /// Adds the record that was put at `at` to accumulators of the set.
  void add_to(uint8_t* accumulators, const uint8_t* at, int64_t event_time_ms) const;
  /// Whether bytes that come from a disk can be such a row.
  bool valid(const uint8_t* at) const;

 private:
  struct Part {
    uint32_t at = 0;
    bool has_argument = false;
    ValueCell cell{Type::Null, 0};
  };

  const AggregateSet& aggregates_;
  std::vector<Part> parts_;
  uint32_t bytes_ = 0;
};

}  // namespace weir
