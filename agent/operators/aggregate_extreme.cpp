#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/value_cell.h"
#include "agent/operators/value_order.h"

namespace weir {
namespace {

/// min (sign 1) and max (sign -1). Accumulator: the best value so far.
class Extreme final : public Aggregate {
 public:
  Extreme(Type type, uint32_t max_length, int sign)
      : cell_(type, max_length), max_length_(max_length), type_(type), sign_(sign) {}
  Type type() const override { return type_; }
  uint32_t max_length() const override { return max_length_; }
  uint32_t bytes() const override { return cell_.bytes(); }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (value.is_null()) return;
    if (!cell_.present(at) || compare_values(value, cell_.get(at)) * sign_ < 0) cell_.put(at, value);
  }
  void merge(uint8_t* into, const uint8_t* from) const override { add(into, cell_.get(from), 0); }
  Value result(const uint8_t* at) const override { return cell_.get(at); }
  bool valid(const uint8_t* at) const override { return cell_.valid(at); }

 private:
  ValueCell cell_;
  uint32_t max_length_;
  Type type_;
  int sign_;
};

}  // namespace

AggregatePointer make_minimum(Type argument, uint32_t max_length) { return std::make_unique<Extreme>(argument, max_length, 1); }
AggregatePointer make_maximum(Type argument, uint32_t max_length) {
  return std::make_unique<Extreme>(argument, max_length, -1);
}

}  // namespace weir
