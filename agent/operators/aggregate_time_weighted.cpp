#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/aggregate_sums.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

/// The area under a curve of steps from the first to the last value in event time, in value times ms.
struct Steps {
  uint64_t count = 0;
  int64_t first_ms = 0;
  int64_t last_ms = 0;
  double last = 0;
  CompensatedSum area;

  void add(double value, int64_t time_ms) {
    if (count++ == 0) {
      first_ms = last_ms = time_ms;
      last = value;
    } else if (time_ms >= last_ms) {
      area.add(last * difference(time_ms, last_ms));
      last_ms = time_ms;
      last = value;
    } else if (time_ms < first_ms) {
      area.add(value * difference(first_ms, time_ms));
      first_ms = time_ms;
    }
    // One between them changes nothing: which value held until it is no longer known.
  }
  void add(const Steps& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    area.add(last * difference(other.first_ms, last_ms));
    area.add(other.area);
    last_ms = other.last_ms;
    last = other.last;
    count += other.count;
  }
};
static_assert(sizeof(Steps) == 48);

/// Accumulator: Steps.
class TimeWeightedAverage final : public Aggregate {
 public:
  Type type() const override { return Type::Float; }
  uint32_t bytes() const override { return sizeof(Steps); }
  void add(uint8_t* at, const Value& value, int64_t event_time_ms) const override {
    if (value.is_null()) return;
    auto steps = load<Steps>(at);
    steps.add(as_double(value), event_time_ms);
    store(at, steps);
  }
  void merge(uint8_t* into, const uint8_t* from) const override {
    auto steps = load<Steps>(into);
    steps.add(load<Steps>(from));
    store(into, steps);
  }
  Value result(const uint8_t* at) const override {
    const auto steps = load<Steps>(at);
    if (steps.count == 0) return Value::null();
    if (steps.first_ms == steps.last_ms) return finite_or_null(steps.last);
    return finite_or_null(steps.area.total() / difference(steps.last_ms, steps.first_ms));
  }
  bool valid(const uint8_t* at) const override {
    const auto steps = load<Steps>(at);
    return static_cast<int64_t>(steps.count) >= 0 && steps.first_ms <= steps.last_ms;
  }
};

}  // namespace

AggregatePointer make_time_weighted_average() { return std::make_unique<TimeWeightedAverage>(); }

}  // namespace weir
