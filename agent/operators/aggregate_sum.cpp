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
  void add(const CompensatedSum& other) {
    add(other.sum);
    correction += other.correction;
  }
  double total() const { return sum + correction; }
};
static_assert(sizeof(CompensatedSum) == 16);

void merge_sums(uint8_t* into, const uint8_t* from) {
  auto sum = load<CompensatedSum>(into);
  sum.add(load<CompensatedSum>(from));
  store(into, sum);
}

Value finite_or_null(double value) { return std::isfinite(value) ? Value::of_float(value) : Value::null(); }

/// Accumulator: the exact sum as a two's complement number of 128 bits, u64 low and i64 high; u8 whether there was a value.
/// It cannot overflow, so neither the order of the values nor where they were split decides whether the result fits.
class IntSum final : public Aggregate {
 public:
  Type type() const override { return Type::Int; }
  uint32_t bytes() const override { return 17; }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (value.is_null()) return;
    add_number(at, static_cast<uint64_t>(value.as_int()), value.as_int() < 0 ? -1 : 0);
    at[16] = 1;
  }
  void merge(uint8_t* into, const uint8_t* from) const override {
    add_number(into, load<uint64_t>(from), load<int64_t>(from + 8));
    into[16] |= from[16];
  }
  Value result(const uint8_t* at) const override {
    const auto low = load<int64_t>(at);
    const bool fits = load<int64_t>(at + 8) == (low < 0 ? -1 : 0);
    return at[16] != 0 && fits ? Value::of_int(low) : Value::null();
  }
  bool valid(const uint8_t* at) const override { return at[16] <= 1; }

 private:
  static void add_number(uint8_t* at, uint64_t low, int64_t high) {
    uint64_t sum = 0;
    const bool carry = __builtin_add_overflow(load<uint64_t>(at), low, &sum);
    store(at, sum);
    store(at + 8, load<uint64_t>(at + 8) + static_cast<uint64_t>(high) + (carry ? 1 : 0));
  }
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
  void merge(uint8_t* into, const uint8_t* from) const override {
    merge_sums(into, from);
    into[16] |= from[16];
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
  void merge(uint8_t* into, const uint8_t* from) const override {
    merge_sums(into, from);
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
  if (argument == Type::Int) return std::make_unique<IntSum>();
  return std::make_unique<FloatSum>();
}

AggregatePointer make_average() { return std::make_unique<Average>(); }

}  // namespace weir
