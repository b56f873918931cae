#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/aggregate_sums.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

/// Means of times and values, and the sums of the products of their distances from them: Welford's recurrence in two
/// dimensions, merged as Chan, Golub and LeVeque merge variances. Times are seconds since the first one that came, so that
/// they stay small and keep their milliseconds.
struct Line {
  uint64_t count = 0;
  int64_t origin_ms = 0;
  double mean_time = 0;
  double mean_value = 0;
  double time_squares = 0;
  double products = 0;

  void add(double value, int64_t time_ms) {
    if (count == 0) origin_ms = time_ms;
    const double time = difference(time_ms, origin_ms) / 1000;
    const double time_distance = time - mean_time;
    const double value_distance = value - mean_value;
    const auto total = static_cast<double>(++count);
    mean_time += time_distance / total;
    mean_value += value_distance / total;
    time_squares += time_distance * (time - mean_time);
    products += time_distance * (value - mean_value);
  }
  void add(const Line& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    const auto mine = static_cast<double>(count);
    const auto theirs = static_cast<double>(other.count);
    const double share = theirs / (mine + theirs);
    const double time_distance = other.mean_time + difference(other.origin_ms, origin_ms) / 1000 - mean_time;
    const double value_distance = other.mean_value - mean_value;
    count += other.count;
    mean_time += time_distance * share;
    mean_value += value_distance * share;
    time_squares += other.time_squares + time_distance * time_distance * (mine * share);
    products += other.products + time_distance * value_distance * (mine * share);
  }
};
static_assert(sizeof(Line) == 48);

/// Accumulator: Line.
class Slope final : public Aggregate {
 public:
  Type type() const override { return Type::Float; }
  uint32_t bytes() const override { return sizeof(Line); }
  void add(uint8_t* at, const Value& value, int64_t event_time_ms) const override {
    if (value.is_null()) return;
    auto line = load<Line>(at);
    line.add(as_double(value), event_time_ms);
    store(at, line);
  }
  void merge(uint8_t* into, const uint8_t* from) const override {
    auto line = load<Line>(into);
    line.add(load<Line>(from));
    store(into, line);
  }
  Value result(const uint8_t* at) const override {
    const auto line = load<Line>(at);
    return line.time_squares > 0 ? finite_or_null(line.products / line.time_squares) : Value::null();
  }
  bool valid(const uint8_t* at) const override { return static_cast<int64_t>(load<Line>(at).count) >= 0; }
};

}  // namespace

AggregatePointer make_slope() { return std::make_unique<Slope>(); }

}  // namespace weir
