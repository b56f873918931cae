// smooth: a field without its noise, in place of the field or beside it. A record in which the field is null goes on with null
// and changes nothing.
//
// State of a key: u8 whether there was a value, i64 the event time of the last one, then the smoother's.
#include <cmath>

#include "agent/expression/arithmetic.h"
#include "agent/operators/added_fields.h"
#include "agent/operators/elapsed.h"
#include "agent/operators/sample_ring.h"
#include "agent/operators/smoother.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

constexpr uint32_t present_at = 0;
constexpr uint32_t time_at = 1;
constexpr uint32_t smoother_at = 9;

class Smooth final : public KeyedFunction {
 public:
  Smooth(uint32_t field, uint32_t result, int64_t max_gap_ms, std::unique_ptr<Smoother> smoother, AddedFields fields)
      : field_(field), result_(result), max_gap_ms_(max_gap_ms), smoother_(std::move(smoother)), fields_(std::move(fields)) {}

  const Schema& schema() const override { return fields_.schema(); }
  uint32_t state_bytes() const override { return smoother_at + smoother_->bytes(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "smooth";
    layout.add_shape("field", schema()[field_].name);
    layout.fields.add_flag("present");
    layout.fields.add_time("time");
    smoother_->describe(layout);
  }
  bool valid(const uint8_t* state) const override { return state[present_at] <= 1 && smoother_->valid(state + smoother_at); }

  Outcome process(const Record& record, KeyContext& context) override {
    fields_.begin(record);
    const Value& value = record.values[field_];
    if (!value.is_null()) fields_.set(result_, smoothed(to_float(value), record.event_time_ms, context.state().data()));
    return context.forward(record, fields_.row());
  }

 private:
  double smoothed(double value, int64_t time_ms, uint8_t* state) const {
    const int64_t elapsed = elapsed_ms(load<int64_t>(state + time_at), time_ms);
    const bool first = state[present_at] == 0 || (max_gap_ms_ > 0 && elapsed > max_gap_ms_);
    state[present_at] = 1;
    store(state + time_at, time_ms);
    double result = value;
    if (!first) result = smoother_->next(state + smoother_at, value, elapsed);
    if (first || !std::isfinite(result)) smoother_->begin(state + smoother_at, value);
    return result;
  }

  uint32_t field_;
  uint32_t result_;
  int64_t max_gap_ms_;  // 0: no gap is too long
  std::unique_ptr<Smoother> smoother_;
  AddedFields fields_;
};

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const uint32_t field = build.field("field", number_types);
  std::unique_ptr<Smoother> smoother = make_smoother(build);
  AddedFields fields(build.input());
  uint32_t result = fields.add(build, "as", Type::Float);
  if (result == AddedFields::absent) {
    result = field;
    fields.replace(field, Type::Float);
  }
  fields.take_row(build);
  return build.keyed(
      std::make_unique<Smooth>(field, result, build.options().integer("max_gap"), std::move(smoother), std::move(fields)));
}

constexpr const char* methods[] = {"moving-average", "ewma", "median", "kalman"};

constexpr StepOption options[] = {
    {.key = "field",
     .type = StepOptionType::Text,
     .required = true,
     .documentation = "The int or float field that is smoothed. Where it is null the result is null, and nothing changes.",
     .example = "field = \"temperature\""},
    {.key = "as",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation =
         "The result goes into a new float field of this name. Without it the result takes the place of the field, "
         "which becomes a float.",
     .example = "as = \"calm\""},
    {.key = "method",
     .type = StepOptionType::Choice,
     .required = true,
     .choices = methods,
     .documentation =
         "`moving-average`: the mean of the last `samples` values. `median`: the one in the middle of them. `ewma`: the "
         "result moves towards each value by a share. `kalman`: a share that follows from two variances.",
     .example = "method = \"ewma\""},
    {.key = "samples",
     .type = StepOptionType::Integer,
     .minimum = "1",
     .maximum = "1000",
     .documentation =
         "Of `moving-average` and `median` (odd). While there are fewer, those there are; the median of an even number "
         "is the mean of the two in the middle.",
     .example = "samples = 9"},
    {.key = "alpha",
     .type = StepOptionType::Number,
     .minimum = "0",
     .maximum = "1",
     .documentation = "Of `ewma`: the share by which the result moves towards each value, whatever time has passed.",
     .example = "alpha = 0.2"},
    {.key = "half_life",
     .type = StepOptionType::Duration,
     .minimum = "1ms",
     .documentation =
         "Of `ewma`, for values at irregular times: after this time the result has moved half the way to a new level.",
     .example = "half_life = \"30s\""},
    {.key = "time_constant",
     .type = StepOptionType::Duration,
     .minimum = "1ms",
     .documentation = "The same, said by the time after which a share of 1 - 1/e (63.2 %) of the way is done.",
     .example = "time_constant = \"1min\""},
    {.key = "process_noise",
     .type = StepOptionType::Number,
     .minimum = "0",
     .documentation = "Of `kalman`: by how much the variance of the true value grows per `process_unit`.",
     .example = "process_noise = 0.01"},
    {.key = "process_unit",
     .type = StepOptionType::Duration,
     .standard = "1s",
     .minimum = "0s",
     .documentation = "Of `kalman`: the time to which `process_noise` refers; `0s`: to one record, whatever time has passed.",
     .example = "process_unit = \"0s\""},
    {.key = "measurement_noise",
     .type = StepOptionType::Number,
     .minimum = "0",
     .documentation = "Of `kalman`: the variance of a single measurement.",
     .example = "measurement_noise = 0.5"},
    {.key = "max_gap",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation =
         "A value that comes longer than this after the last one is the first of a new run; `0s`: no gap is too long.",
     .example = "max_gap = \"10min\""},
};

}  // namespace

const StepKind smooth_step = {
    .verb = "smooth",
    .documentation = "Verb: takes the noise from a number (moving average, median, EWMA, Kalman).",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
