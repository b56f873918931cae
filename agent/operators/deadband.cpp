// deadband: report by exception. A record goes on when its value has moved far enough from the last one that went on, or when
// nothing went on for `max_silence`; all others are filtered out.
//
// State of a key: f64 value and i64 event time of the record that went on last, u8 whether there is one.
#include <cmath>

#include "agent/expression/arithmetic.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t value_at = 0;
constexpr uint32_t time_at = 8;
constexpr uint32_t present_at = 16;
constexpr uint32_t bytes_of_state = 17;

struct Limits {
  uint32_t field = 0;
  double absolute = 0;         // 0: not used
  double percent = 0;          // of the last value, 0: not used
  int64_t max_silence_ms = 0;  // 0: not used
};

class Deadband final : public KeyedFunction {
 public:
  Deadband(Limits limits, const Schema& input) : limits_(limits), schema_(input) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return bytes_of_state; }
  void describe(StateLayout& layout) const override {
    layout.kind = "deadband";
    layout.add_shape("field", schema_[limits_.field].name);
    layout.fields.add_f64("value");
    layout.fields.add_time("time");
    layout.fields.add_flag("present");
  }
  bool valid(const uint8_t* state) const override {
    return state[present_at] <= 1 && std::isfinite(load<double>(state + value_at));
  }

  Outcome process(const Record& record, KeyContext& context) override {
    const Value& value = record.values[limits_.field];
    const uint8_t* last = context.peek();
    const bool silent =
        last[present_at] == 0 ||
        (limits_.max_silence_ms > 0 && record.event_time_ms - load<int64_t>(last + time_at) >= limits_.max_silence_ms);
    if (value.is_null() || (!silent && !moved(load<double>(last + value_at), to_float(value)))) return Outcome::Filtered;
    uint8_t* state = context.state().data();
    store(state + value_at, to_float(value));
    store(state + time_at, record.event_time_ms);
    state[present_at] = 1;
    return context.forward(record);
  }

 private:
  bool moved(double last, double now) const {
    const double distance = std::fabs(now - last);
    return (limits_.absolute > 0 && distance >= limits_.absolute) ||
           (limits_.percent > 0 && distance > 0 && distance >= std::fabs(last) * limits_.percent / 100);
  }

  Limits limits_;
  const Schema& schema_;
};

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  Limits limits;
  limits.field = build.field("field", number_types);
  limits.absolute = options.number("absolute");
  limits.percent = options.number("percent");
  limits.max_silence_ms = options.integer("max_silence");
  if (!options.given("absolute") && !options.given("percent"))
    build.error("deadband", "a deadband needs \"absolute\" or \"percent\"", "for example: absolute = 0.5");
  return build.keyed(std::make_unique<Deadband>(limits, build.input()));
}

constexpr StepOption options[] = {
    {.key = "field",
     .type = StepOptionType::Text,
     .required = true,
     .documentation = "The int or float field that is watched. Records in which it is null do not go on.",
     .example = "field = \"temperature\""},
    {.key = "absolute",
     .type = StepOptionType::Number,
     .minimum = "0",
     .documentation = "A record goes on when the value differs by at least this from the last one that went on.",
     .example = "absolute = 0.5"},
    {.key = "percent",
     .type = StepOptionType::Number,
     .minimum = "0",
     .documentation = "The same, in percent of the last value that went on. With both, either suffices.",
     .example = "percent = 2"},
    {.key = "max_silence",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation = "A record also goes on when this much event time has passed since the last one; `0s`: never for that.",
     .example = "max_silence = \"10min\""},
};

}  // namespace

const StepKind deadband_step = {
    .verb = "deadband",
    .documentation = "Verb: only changes that matter go on (report by exception).",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
