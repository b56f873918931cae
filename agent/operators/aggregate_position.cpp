#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

/// first and last. Accumulator: i64 event time of the value, then the value.
class Position final : public Aggregate {
 public:
  Position(Type type, uint32_t max_length, bool last)
      : cell_(type, max_length), max_length_(max_length), type_(type), last_(last) {}
  Type type() const override { return type_; }
  uint32_t max_length() const override { return max_length_; }
  uint32_t bytes() const override { return sizeof(int64_t) + cell_.bytes(); }
  void add(uint8_t* at, const Value& value, int64_t event_time_ms) const override {
    uint8_t* cell = at + sizeof(int64_t);
    if (value.is_null() || (cell_.present(cell) && !goes_before(event_time_ms, load<int64_t>(at)))) return;
    store(at, event_time_ms);
    cell_.put(cell, value);
  }
  void merge(uint8_t* into, const uint8_t* from) const override { add(into, result(from), load<int64_t>(from)); }
  Value result(const uint8_t* at) const override { return cell_.get(at + sizeof(int64_t)); }
  bool valid(const uint8_t* at) const override { return cell_.valid(at + sizeof(int64_t)); }

 private:
  bool goes_before(int64_t arrived_ms, int64_t kept_ms) const { return last_ ? arrived_ms >= kept_ms : arrived_ms < kept_ms; }

  ValueCell cell_;
  uint32_t max_length_;
  Type type_;
  bool last_;
};

}  // namespace

AggregatePointer make_first(Type argument, uint32_t max_length) {
  return std::make_unique<Position>(argument, max_length, false);
}
AggregatePointer make_last(Type argument, uint32_t max_length) {
  return std::make_unique<Position>(argument, max_length, true);
}

}  // namespace weir
