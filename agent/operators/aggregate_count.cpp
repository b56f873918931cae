#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

/// Accumulator: u64 count.
class Count final : public Aggregate {
 public:
  explicit Count(bool of_values) : of_values_(of_values) {}
  Type type() const override { return Type::Int; }
  uint32_t bytes() const override { return sizeof(uint64_t); }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (of_values_ && value.is_null()) return;
    store(at, load<uint64_t>(at) + 1);
  }
  void merge(uint8_t* into, const uint8_t* from) const override { store(into, load<uint64_t>(into) + load<uint64_t>(from)); }
  Value result(const uint8_t* at) const override { return Value::of_int(load<int64_t>(at)); }
  bool valid(const uint8_t* at) const override { return load<int64_t>(at) >= 0; }

 private:
  bool of_values_;
};

}  // namespace

AggregatePointer make_count(bool of_values) { return std::make_unique<Count>(of_values); }

}  // namespace weir
