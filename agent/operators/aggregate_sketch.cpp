// The aggregates that estimate from a sketch: median and percentile, distinct.
#include <algorithm>

#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/aggregate_sums.h"
#include "agent/operators/hyperloglog.h"
#include "agent/operators/quantile_sketch.h"

namespace weir {
namespace {

/// Accumulator: QuantileSketch.
class Percentile final : public Aggregate {
 public:
  Percentile(double percent, double error) : sketch_(error), q_(percent / 100) {}
  Type type() const override { return Type::Float; }
  uint32_t bytes() const override { return sketch_.bytes(); }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (!value.is_null()) sketch_.add(at, as_double(value));
  }
  void merge(uint8_t* into, const uint8_t* from) const override { sketch_.merge(into, from); }
  Value result(const uint8_t* at) const override {
    return sketch_.empty(at) ? Value::null() : finite_or_null(sketch_.quantile(at, q_));
  }
  bool valid(const uint8_t* at) const override { return sketch_.valid(at); }

 private:
  QuantileSketch sketch_;
  double q_;
};

/// Accumulator: HyperLogLog.
class Distinct final : public Aggregate {
 public:
  explicit Distinct(uint32_t precision) : registers_(precision) {}
  Type type() const override { return Type::Int; }
  uint32_t bytes() const override { return registers_.bytes(); }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (!value.is_null()) registers_.add(at, distinct_hash(value));
  }
  void merge(uint8_t* into, const uint8_t* from) const override { registers_.merge(into, from); }
  Value result(const uint8_t* at) const override {
    constexpr double int_limit = 9e18;
    return Value::of_int(static_cast<int64_t>(std::min(registers_.estimate(at) + 0.5, int_limit)));
  }
  bool valid(const uint8_t* at) const override { return registers_.valid(at); }

 private:
  HyperLogLog registers_;
};

}  // namespace

AggregatePointer make_percentile(double percent, double error) { return std::make_unique<Percentile>(percent, error); }
AggregatePointer make_distinct(uint32_t precision) { return std::make_unique<Distinct>(precision); }

}  // namespace weir
