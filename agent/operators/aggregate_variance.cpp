#include "agent/operators/aggregate_kinds.h"
#include "agent/operators/aggregate_sums.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

/// Mean and sum of squared distances from it, by Welford's recurrence; merged by the formula of Chan, Golub and LeVeque
/// ("Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979).
struct Spread {
  uint64_t count = 0;
  double mean = 0;
  double squares = 0;

  void add(double value) {
    const double distance = value - mean;
    mean += distance / static_cast<double>(++count);
    squares += distance * (value - mean);
  }
  void add(const Spread& other) {
    if (other.count == 0) return;
    if (count == 0) {
      *this = other;
      return;
    }
    const auto mine = static_cast<double>(count);
    const auto theirs = static_cast<double>(other.count);
    const double distance = other.mean - mean;
    count += other.count;
    mean += distance * (theirs / (mine + theirs));
    squares += other.squares + distance * distance * (mine * (theirs / (mine + theirs)));
  }
};
static_assert(sizeof(Spread) == 24);

/// Accumulator: Spread.
class Variance final : public Aggregate {
 public:
  Variance(bool of_sample, bool root) : of_sample_(of_sample), root_(root) {}
  Type type() const override { return Type::Float; }
  uint32_t bytes() const override { return sizeof(Spread); }
  void add(uint8_t* at, const Value& value, int64_t) const override {
    if (value.is_null()) return;
    auto spread = load<Spread>(at);
    spread.add(as_double(value));
    store(at, spread);
  }
  void merge(uint8_t* into, const uint8_t* from) const override {
    auto spread = load<Spread>(into);
    spread.add(load<Spread>(from));
    store(into, spread);
  }
  Value result(const uint8_t* at) const override {
    const auto spread = load<Spread>(at);
    const uint64_t least = of_sample_ ? 2 : 1;
    if (spread.count < least) return Value::null();
    const double variance = spread.squares / static_cast<double>(spread.count - (of_sample_ ? 1 : 0));
    return finite_or_null(root_ ? std::sqrt(variance) : variance);
  }
  bool valid(const uint8_t* at) const override { return static_cast<int64_t>(load<Spread>(at).count) >= 0; }

 private:
  bool of_sample_;
  bool root_;
};

}  // namespace

AggregatePointer make_variance(bool of_sample) { return std::make_unique<Variance>(of_sample, false); }
AggregatePointer make_deviation(bool of_sample) { return std::make_unique<Variance>(of_sample, true); }

}  // namespace weir
