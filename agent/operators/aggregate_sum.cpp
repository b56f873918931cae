#include <cmath>

#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

/// A running sum with Neumaier's correction: the error of each addition is kept and added at the end. Only additions, so that
/// a compiler that fuses multiplications comes to the same bits.
struct CompensatedSum {
  double sum = 0;
  double correction = 0;

  void add(double value) {
    const double next = sum + value;
    if (std::fabs(sum) >= std::fabs(value))
      correction += (sum - next) + value;
    else
      correction += (value - next) + sum;
    sum = next;
  }
  double total() const { return sum + correction; }
};
static_assert(sizeof(CompensatedSum) == 16);

Value finite_or_null(double value) { return std::isfinite(value) ? Value::of_float(value) : Value::null(); }

/// Accumulator: i64 sum, u8 state.
class IntSum final : public Aggregate {
 public:
  Type type() const override { return Type::Int; }
  uint32_t bytes() const override { return 9; }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (value.is_null() || at[8] == overflowed) return;
    int64_t sum = 0;
    at[8] = __builtin_add_overflow(load<int64_t>(at), value.as_int(), &sum) ? overflowed : summing;
    store(at, sum);
  }
  Value result(const uint8_t* at) const override { return at[8] == summing ? Value::of_int(load<int64_t>(at)) : Value::null(); }
  bool valid(const uint8_t* at) const override { return at[8] <= overflowed; }

 private:
  static constexpr uint8_t summing = 1;
  static constexpr uint8_t overflowed = 2;
};

/// Accumulator: CompensatedSum, u8 whether there was a value.
class FloatSum final : public Aggregate {
 public:
  Type type() const override { return Type::Float; }
  uint32_t bytes() const override { return 17; }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (value.is_null()) return;
    auto sum = load<CompensatedSum>(at);
    sum.add(value.as_float());
    store(at, sum);
    at[16] = 1;
  }
  Value result(const uint8_t* at) const override {
    return at[16] == 0 ? Value::null() : finite_or_null(load<CompensatedSum>(at).total());
  }
  bool valid(const uint8_t* at) const override { return at[16] <= 1; }
};

/// Accumulator: CompensatedSum, u64 count.
class Average final : public Aggregate {
 public:
  Type type() const override { return Type::Float; }
  uint32_t bytes() const override { return 24; }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (value.is_null()) return;
    auto sum = load<CompensatedSum>(at);
    if (value.type() == Type::Int)
      add_int(sum, value.as_int());
    else
      sum.add(value.as_float());
    store(at, sum);
    store(at + 16, load<uint64_t>(at + 16) + 1);
  }
  Value result(const uint8_t* at) const override {
    const auto count = load<uint64_t>(at + 16);
    return count == 0 ? Value::null() : finite_or_null(load<CompensatedSum>(at).total() / static_cast<double>(count));
  }
  bool valid(const uint8_t* at) const override { return load<int64_t>(at + 16) >= 0; }

 private:
  /// A double holds 53 bits: a larger int is added in two halves that are both exact.
  static void add_int(CompensatedSum& sum, int64_t value) {
    constexpr int64_t exact = int64_t{1} << 53;
    if (value >= -exact && value <= exact) return sum.add(static_cast<double>(value));
    const int64_t low = value & 0xFFFFFFFF;
    sum.add(static_cast<double>(value - low));
    sum.add(static_cast<double>(low));
  }
};

}  // namespace

AggregatePointer make_sum(Type argument) {
  if (argument == Type::Int) return std::make_unique<IntSum>();
  return std::make_unique<FloatSum>();
}

AggregatePointer make_average() { return std::make_unique<Average>(); }

}  // namespace weir
