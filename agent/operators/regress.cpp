// regress: the straight line that fits a key's last values best (least squares), computed anew for each record: its slope, what
// it says about now and about a time ahead, and how well it fits. A record in which the field is null goes on with nulls and
// changes nothing; results are null until there are values at two different times.
//
// State of a key: SampleRing with times.
#include <algorithm>
#include <cmath>

#include "agent/expression/arithmetic.h"
#include "agent/operators/added_fields.h"
#include "agent/operators/aggregate_sums.h"
#include "agent/operators/elapsed.h"
#include "agent/operators/sample_ring.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

struct Fitting {
  uint32_t field = 0;
  uint32_t samples = 2;
  int64_t within_ms = 0;  // 0: however old
  int64_t unit_ms = 1000;
  int64_t ahead_ms = 0;
  // Positions in the result.
  uint32_t slope = 0, fit = 0, forecast = 0, r2 = 0;
};

/// v = mean_value + slope * (t - mean_time), times in ms after the newest sample.
struct Line {
  double mean_time = 0;
  double mean_value = 0;
  double slope = 0;
  double r2 = NAN;

  double at(double time) const { return mean_value + slope * (time - mean_time); }
};

/// Times are counted from the newest sample, where they are small and exact, and both coordinates from their means, so that
/// no digits are lost to large epochs or large values. Requires two different times.
Line fit_line(const SampleRing& ring, const uint8_t* at) {
  const uint32_t count = ring.count(at);
  const int64_t newest_ms = ring.time_ms(at, count - 1);
  auto time = [&](uint32_t index) { return static_cast<double>(elapsed_ms(newest_ms, ring.time_ms(at, index))); };
  CompensatedSum times;
  for (uint32_t index = 0; index < count; ++index) times.add(time(index));
  Line line{.mean_time = times.total() / count, .mean_value = ring.mean(at)};
  CompensatedSum time_squares;
  CompensatedSum value_squares;
  CompensatedSum products;
  for (uint32_t index = 0; index < count; ++index) {
    const double time_distance = time(index) - line.mean_time;
    const double value_distance = ring.value(at, index) - line.mean_value;
    time_squares.add(time_distance * time_distance);
    value_squares.add(value_distance * value_distance);
    products.add(time_distance * value_distance);
  }
  line.slope = products.total() / time_squares.total();
  // Rounding can bring it beyond 1; without any variation of the values it is 0 / 0 and so null.
  const double r2 = line.slope * (products.total() / value_squares.total());
  line.r2 = r2 > 1 ? 1 : r2;
  return line;
}

class Regress final : public KeyedFunction {
 public:
  Regress(Fitting fitting, AddedFields fields) : fitting_(fitting), ring_(fitting.samples, true), fields_(std::move(fields)) {}

  const Schema& schema() const override { return fields_.schema(); }
  uint32_t state_bytes() const override { return ring_.bytes(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "regress";
    layout.add_shape("field", schema()[fitting_.field].name);
    ring_.describe(layout.fields);
  }
  bool valid(const uint8_t* state) const override { return ring_.valid(state); }

  Outcome process(const Record& record, KeyContext& context) override {
    fields_.begin(record);
    const Value& value = record.values[fitting_.field];
    if (!value.is_null()) {
      uint8_t* state = context.state().data();
      take(to_float(value), record.event_time_ms, state);
      if (ring_.time_ms(state, 0) < record.event_time_ms) set_results(fit_line(ring_, state));
    }
    return context.forward(record, fields_.row());
  }

 private:
  void take(double value, int64_t time_ms, uint8_t* state) const {
    ring_.push(state, value, time_ms);
    if (fitting_.within_ms == 0) return;
    while (elapsed_ms(ring_.time_ms(state, 0), time_ms) > fitting_.within_ms) ring_.drop_oldest(state);
  }

  void set_results(const Line& line) {
    fields_.set(fitting_.slope, line.slope * static_cast<double>(fitting_.unit_ms));
    fields_.set(fitting_.fit, line.at(0));
    fields_.set(fitting_.forecast, line.at(static_cast<double>(fitting_.ahead_ms)));
    fields_.set(fitting_.r2, line.r2);
  }

  Fitting fitting_;
  SampleRing ring_;
  AddedFields fields_;
};

void check(StepBuild& build) {
  const StepOptions& options = build.options();
  if (!options.given("slope") && !options.given("fit") && !options.given("forecast") && !options.given("r2"))
    build.error("regress", R"(a regress needs at least one of "slope", "fit", "forecast" and "r2")",
                "for example: slope = \"per_second\"");
  if (options.given("forecast") != options.given("ahead"))
    build.error(options.given("forecast") ? "forecast" : "ahead", R"("forecast" and "ahead" belong together)",
                "for example: forecast = \"soon\", ahead = \"10min\"");
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  Fitting fitting;
  fitting.field = build.field("field", number_types);
  fitting.samples = std::max(2U, static_cast<uint32_t>(options.integer("samples")));
  fitting.within_ms = options.integer("within");
  fitting.unit_ms = options.integer("unit");
  fitting.ahead_ms = options.integer("ahead");
  check(build);
  AddedFields fields(build.input());
  fitting.slope = fields.add(build, "slope", Type::Float);
  fitting.fit = fields.add(build, "fit", Type::Float);
  fitting.forecast = fields.add(build, "forecast", Type::Float);
  fitting.r2 = fields.add(build, "r2", Type::Float);
  fields.take_row(build);
  return build.keyed(std::make_unique<Regress>(fitting, std::move(fields)));
}

constexpr StepOption options[] = {
    {.key = "field",
     .type = StepOptionType::Text,
     .required = true,
     .documentation = "The int or float field whose course is fitted. Where it is null the results are null.",
     .example = "field = \"level\""},
    {.key = "samples",
     .type = StepOptionType::Integer,
     .required = true,
     .minimum = "2",
     .maximum = "1000",
     .documentation = "The line is fitted to the last so many values.",
     .example = "samples = 20"},
    {.key = "within",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation = "And to none that are older than this; `0s`: however old.",
     .example = "within = \"1h\""},
    {.key = "slope",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "A float field of this name gets the slope of the line, per `unit`.",
     .example = "slope = \"per_second\""},
    {.key = "unit",
     .type = StepOptionType::Duration,
     .standard = "1s",
     .minimum = "1ms",
     .documentation = "The unit of time of `slope`.",
     .example = "unit = \"1h\""},
    {.key = "fit",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "A float field of this name gets what the line says for the time of the record.",
     .example = "fit = \"level_fit\""},
    {.key = "forecast",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "A float field of this name gets what the line says for `ahead` later.",
     .example = "forecast = \"level_soon\""},
    {.key = "ahead",
     .type = StepOptionType::Duration,
     .minimum = "1ms",
     .documentation = "How far ahead `forecast` looks.",
     .example = "ahead = \"10min\""},
    {.key = "r2",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation =
         "A float field of this name gets the coefficient of determination, from 0 (the line says nothing) to 1 (all values "
         "lie on it); null if the values do not vary.",
     .example = "r2 = \"certainty\""},
};

}  // namespace

const StepKind regress_step = {
    .verb = "regress",
    .documentation = "Verb: fits a line to the last values: slope, forecast, how well it fits.",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
