// What became of a value from the first to the last record in event time: rate, delta, increase.
#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/aggregate_sums.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

double number_of(const Value& value, double) { return value.as_float(); }
int64_t number_of(const Value& value, int64_t) { return value.as_int(); }

/// The first and the last value in event time, as the aggregates first and last choose them.
template <class Number>
struct Ends {
  uint64_t count = 0;
  int64_t first_ms = 0;
  int64_t last_ms = 0;
  Number first = 0;
  Number last = 0;

  bool is_first(int64_t time_ms) const { return count == 0 || time_ms < first_ms; }
  bool is_last(int64_t time_ms) const { return count == 0 || time_ms >= last_ms; }
  void add(Number value, int64_t time_ms) {
    const bool begins = is_first(time_ms);
    const bool ends = is_last(time_ms);
    if (begins) {
      first_ms = time_ms;
      first = value;
    }
    if (ends) {
      last_ms = time_ms;
      last = value;
    }
    ++count;
  }
  void add(const Ends& other) {
    if (other.count == 0) return;
    const uint64_t together = count + other.count;
    add(other.first, other.first_ms);
    add(other.last, other.last_ms);
    count = together;
  }
};
static_assert(sizeof(Ends<double>) == 40 && sizeof(Ends<int64_t>) == 40);

template <class Number>
constexpr Type type_of = std::is_same_v<Number, int64_t> ? Type::Int : Type::Float;

Value delta_of(int64_t last, int64_t first) {
  int64_t delta = 0;
  return __builtin_sub_overflow(last, first, &delta) ? Value::null() : Value::of_int(delta);
}
Value delta_of(double last, double first) { return finite_or_null(last - first); }

/// delta, and rate, which divides it by the time that it took. Accumulator: Ends.
template <class Number>
class Change final : public Aggregate {
 public:
  explicit Change(bool per_second) : per_second_(per_second) {}
  Type type() const override { return per_second_ ? Type::Float : type_of<Number>; }
  uint32_t bytes() const override { return sizeof(Ends<Number>); }
  void add(uint8_t* at, const Value& value, int64_t event_time_ms) const override {
    if (value.is_null()) return;
    auto ends = load<Ends<Number>>(at);
    ends.add(number_of(value, Number{}), event_time_ms);
    store(at, ends);
  }
  void merge(uint8_t* into, const uint8_t* from) const override {
    auto ends = load<Ends<Number>>(into);
    ends.add(load<Ends<Number>>(from));
    store(into, ends);
  }
  Value result(const uint8_t* at) const override {
    const auto ends = load<Ends<Number>>(at);
    if (ends.count < 2) return Value::null();
    if (!per_second_) return delta_of(ends.last, ends.first);
    // Over no time at all it is a division by zero, which is not finite.
    return finite_or_null(difference(ends.last, ends.first) / (difference(ends.last_ms, ends.first_ms) / 1000));
  }
  bool valid(const uint8_t* at) const override {
    const auto ends = load<Ends<Number>>(at);
    return static_cast<int64_t>(ends.count) >= 0 && ends.first_ms <= ends.last_ms;
  }

 private:
  bool per_second_;
};

template <class Number>
struct Growth {
  Ends<Number> ends;
  std::conditional_t<std::is_same_v<Number, int64_t>, WideSum, CompensatedSum> sum;

  /// By how much a counter grew from one value to the next; a smaller one means that it began again at 0.
  static Number step(Number before, Number after) { return after >= before ? after - before : after; }

  void add(Number value, int64_t time_ms) {
    if (ends.count > 0 && ends.is_last(time_ms))
      sum.add(step(ends.last, value));
    else if (ends.count > 0 && ends.is_first(time_ms))
      sum.add(step(value, ends.first));
    ends.add(value, time_ms);
  }
  void add(const Growth& other) {
    if (other.ends.count > 0 && ends.count > 0) sum.add(step(ends.last, other.ends.first));
    sum.add(other.sum);
    ends.add(other.ends);
  }
};
static_assert(sizeof(Growth<double>) == 56 && sizeof(Growth<int64_t>) == 56);

/// Accumulator: Growth.
template <class Number>
class Increase final : public Aggregate {
 public:
  Type type() const override { return type_of<Number>; }
  uint32_t bytes() const override { return sizeof(Growth<Number>); }
  void add(uint8_t* at, const Value& value, int64_t event_time_ms) const override {
    if (value.is_null() || number_of(value, Number{}) < 0) return;
    auto growth = load<Growth<Number>>(at);
    growth.add(number_of(value, Number{}), event_time_ms);
    store(at, growth);
  }
  void merge(uint8_t* into, const uint8_t* from) const override {
    auto growth = load<Growth<Number>>(into);
    growth.add(load<Growth<Number>>(from));
    store(into, growth);
  }
  Value result(const uint8_t* at) const override {
    const auto growth = load<Growth<Number>>(at);
    return growth.ends.count < 2 ? Value::null() : growth.sum.value();
  }
  bool valid(const uint8_t* at) const override {
    const auto ends = load<Growth<Number>>(at).ends;
    return static_cast<int64_t>(ends.count) >= 0 && ends.first_ms <= ends.last_ms;
  }
};

AggregatePointer make_change(Type argument, bool per_second) {
  if (argument == Type::Int) return std::make_unique<Change<int64_t>>(per_second);
  return std::make_unique<Change<double>>(per_second);
}

}  // namespace

AggregatePointer make_rate(Type argument) { return make_change(argument, true); }
AggregatePointer make_delta(Type argument) { return make_change(argument, false); }
AggregatePointer make_increase(Type argument) {
  if (argument == Type::Int) return std::make_unique<Increase<int64_t>>();
  return std::make_unique<Increase<double>>();
}

}  // namespace weir
