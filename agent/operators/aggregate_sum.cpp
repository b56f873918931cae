#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/aggregate_sums.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

template <class Total>
void merge_sums(uint8_t* into, const uint8_t* from) {
  auto sum = load<Total>(into);
  sum.add(load<Total>(from));
  store(into, sum);
}

double number_of(const Value& value, double) { return value.as_float(); }
int64_t number_of(const Value& value, int64_t) { return value.as_int(); }

/// Accumulator: Total (WideSum of ints, CompensatedSum of floats), u8 whether there was a value.
template <class Number, class Total>
class Sum final : public Aggregate {
 public:
  Type type() const override { return std::is_same_v<Number, int64_t> ? Type::Int : Type::Float; }
  uint32_t bytes() const override { return seen_at + 1; }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (value.is_null()) return;
    auto sum = load<Total>(at);
    sum.add(number_of(value, Number{}));
    store(at, sum);
    at[seen_at] = 1;
  }
  void merge(uint8_t* into, const uint8_t* from) const override {
    merge_sums<Total>(into, from);
    into[seen_at] |= from[seen_at];
  }
  Value result(const uint8_t* at) const override { return at[seen_at] == 0 ? Value::null() : load<Total>(at).value(); }
  bool valid(const uint8_t* at) const override { return at[seen_at] <= 1; }

 private:
  static constexpr uint32_t seen_at = sizeof(Total);
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
  void merge(uint8_t* into, const uint8_t* from) const override {
    merge_sums<CompensatedSum>(into, from);
    store(into + 16, load<uint64_t>(into + 16) + load<uint64_t>(from + 16));
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
  if (argument == Type::Int) return std::make_unique<Sum<int64_t, WideSum>>();
  return std::make_unique<Sum<double, CompensatedSum>>();
}

AggregatePointer make_average() { return std::make_unique<Average>(); }

}  // namespace weir
