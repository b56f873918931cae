// derive: adds to each record what follows from it and the previous records of its key: the difference, the rate, a counter's
// increase and its rate, the integral over time and the mean weighted with time. A record in which the watched field is null
// goes on with nulls and changes nothing.
//
// State of a key: the last value (i64 or f64), i64 its event time, i64 event time of the first value of this run, the area
// under the values since then in value * ms (f64 sum, f64 correction), u8 whether there is a last value.
#include <cmath>

#include "agent/expression/arithmetic.h"
#include "agent/operators/added_fields.h"
#include "agent/operators/aggregate_sums.h"
#include "agent/operators/elapsed.h"
#include "agent/operators/method_options.h"
#include "agent/operators/steps.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t value_at = 0;
constexpr uint32_t time_at = 8;
constexpr uint32_t begin_at = 16;
constexpr uint32_t area_at = 24;
constexpr uint32_t present_at = 40;
constexpr uint32_t bytes_of_state = 41;

struct Derivations {
  uint32_t field = 0;
  Type type = Type::Null;
  int64_t unit_ms = 1000;
  int64_t max_gap_ms = 0;  // 0: no gap is too long
  bool trapezoid = true;
  bool wraps = false;
  double max = 0;  // of a counter that wraps
  // Positions in the result.
  uint32_t rate = 0, delta = 0, increase = 0, increase_rate = 0, integral = 0, mean = 0;
};

Value load_value(const uint8_t* state, Type type) {
  return type == Type::Int ? Value::of_int(load<int64_t>(state + value_at)) : Value::of_float(load<double>(state + value_at));
}

void store_value(uint8_t* state, const Value& value) {
  if (value.type() == Type::Int)
    store(state + value_at, value.as_int());
  else
    store(state + value_at, value.as_float());
}

class Derive final : public KeyedFunction {
 public:
  Derive(Derivations derivations, AddedFields fields) : derive_(derivations), fields_(std::move(fields)) {}

  const Schema& schema() const override { return fields_.schema(); }
  uint32_t state_bytes() const override { return bytes_of_state; }
  void describe(StateLayout& layout) const override {
    layout.kind = "derive";
    layout.add_shape("field", schema()[derive_.field].name);
    layout.add_shape("method", derive_.trapezoid ? "trapezoid" : "step");
    derive_.type == Type::Int ? layout.fields.add_i64("value") : layout.fields.add_f64("value");
    layout.fields.add_time("time");
    layout.fields.add_time("begin");
    layout.fields.add_f64("area");
    layout.fields.add_f64("area_correction");
    layout.fields.add_flag("present");
  }
  bool valid(const uint8_t* state) const override {
    const auto area = load<CompensatedSum>(state + area_at);
    return state[present_at] <= 1 && std::isfinite(area.sum) && std::isfinite(area.correction) &&
           load<int64_t>(state + begin_at) <= load<int64_t>(state + time_at) &&
           (derive_.type == Type::Int || std::isfinite(load<double>(state + value_at)));
  }

  Outcome process(const Record& record, KeyContext& context) override {
    fields_.begin(record);
    const Value& value = record.values[derive_.field];
    if (!value.is_null()) take(value, record.event_time_ms, context.state().data());
    return context.forward(record, fields_.row());
  }

 private:
  void take(const Value& value, int64_t time_ms, uint8_t* state) {
    const int64_t elapsed = elapsed_ms(load<int64_t>(state + time_at), time_ms);
    const bool first = state[present_at] == 0 || (derive_.max_gap_ms > 0 && elapsed > derive_.max_gap_ms);
    if (first) {
      begin(state, time_ms);
    } else {
      const Value last = load_value(state, derive_.type);
      compare(last, value, elapsed);
      add_area(state, to_float(last), to_float(value), elapsed, time_ms);
    }
    store_value(state, value);
    store(state + time_at, time_ms);
    state[present_at] = 1;
  }

  static void begin(uint8_t* state, int64_t time_ms) {
    store(state + begin_at, time_ms);
    store(state + area_at, CompensatedSum{});
  }

  /// What follows from two values.
  void compare(const Value& last, const Value& now, int64_t elapsed) {
    const bool is_int = derive_.type == Type::Int;
    fields_.set(derive_.delta, is_int ? integer_arithmetic(Arithmetic::Subtract, now.as_int(), last.as_int(), Type::Int)
                                      : float_arithmetic(Arithmetic::Subtract, now.as_float(), last.as_float()));
    const Value increase = is_int ? increase_of(last.as_int(), now.as_int()) : increase_of(last.as_float(), now.as_float());
    fields_.set(derive_.increase, increase);
    if (elapsed == 0) return;
    const double distance = is_int ? difference(now.as_int(), last.as_int()) : difference(now.as_float(), last.as_float());
    fields_.set(derive_.rate, per_unit(distance, elapsed));
    if (!increase.is_null()) fields_.set(derive_.increase_rate, per_unit(to_float(increase), elapsed));
  }
  double per_unit(double change, int64_t elapsed) const {
    return change * static_cast<double>(derive_.unit_ms) / static_cast<double>(elapsed);
  }

  /// A counter of ints comes from its maximum to 0 with a step of its own, one of floats does not.
  template <class T>
  Value increase_of(T last, T now) const {
    constexpr T wrap_step = std::is_integral_v<T> ? 1 : 0;
    if (last < 0 || now < 0 || (derive_.wraps && (exceeds_max(last) || exceeds_max(now)))) return Value::null();
    if (now >= last) return number(now - last);
    return number(derive_.wraps ? static_cast<T>(derive_.max) - last + wrap_step + now : now);
  }
  bool exceeds_max(int64_t value) const { return value > static_cast<int64_t>(derive_.max); }
  bool exceeds_max(double value) const { return value > derive_.max; }
  static Value number(int64_t value) { return Value::of_int(value); }
  static Value number(double value) { return Value::of_float(value); }

  void add_area(uint8_t* state, double last, double now, int64_t elapsed, int64_t time_ms) {
    auto area = load<CompensatedSum>(state + area_at);
    area.add((derive_.trapezoid ? (last + now) / 2 : last) * static_cast<double>(elapsed));
    if (!std::isfinite(area.total())) return begin(state, time_ms);
    store(state + area_at, area);
    fields_.set(derive_.integral, area.total() / static_cast<double>(derive_.unit_ms));
    const int64_t run = elapsed_ms(load<int64_t>(state + begin_at), time_ms);
    if (run > 0) fields_.set(derive_.mean, area.total() / static_cast<double>(run));
  }

  Derivations derive_;
  AddedFields fields_;
};

void check(StepBuild& build, const Derivations& derive) {
  const StepOptions& options = build.options();
  if (!options.given("rate") && !options.given("delta") && !options.given("increase") && !options.given("increase_rate") &&
      !options.given("integral") && !options.given("mean"))
    build.error("derive",
                R"(a derive needs at least one of "rate", "delta", "increase", "increase_rate", "integral" and "mean")",
                "for example: rate = \"per_second\"");
  if (options.given("max") && !options.given("increase") && !options.given("increase_rate"))
    build.error("max", R"("max" belongs to "increase" and "increase_rate", and neither is asked for)");
  if (derive.wraps && derive.type == Type::Int && !is_whole_number(derive.max))
    build.error("max", "the maximum of an int counter is a whole number, at most 2^53");
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  Derivations derive;
  derive.field = build.field("field", number_types);
  derive.type = build.input()[derive.field].type;
  derive.unit_ms = options.integer("unit");
  derive.max_gap_ms = options.integer("max_gap");
  derive.trapezoid = options.text("method").value == "trapezoid";
  derive.wraps = options.given("max");
  derive.max = options.number("max");
  check(build, derive);
  AddedFields fields(build.input());
  derive.rate = fields.add(build, "rate", Type::Float);
  derive.delta = fields.add(build, "delta", derive.type);
  derive.increase = fields.add(build, "increase", derive.type);
  derive.increase_rate = fields.add(build, "increase_rate", Type::Float);
  derive.integral = fields.add(build, "integral", Type::Float);
  derive.mean = fields.add(build, "mean", Type::Float);
  fields.take_row(build);
  return build.keyed(std::make_unique<Derive>(derive, std::move(fields)));
}

constexpr const char* methods[] = {"trapezoid", "step"};

constexpr StepOption options[] = {
    {.key = "field",
     .type = StepOptionType::Text,
     .required = true,
     .documentation = "The int or float field that is watched. Records in which it is null go on with nulls; the next value is "
                      "compared with the last one before them.",
     .example = "field = \"count\""},
    {.key = "rate",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "A float field of this name gets the change per `unit` since the last value; null if no time has passed.",
     .example = "rate = \"per_second\""},
    {.key = "delta",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "A field of this name, int or float as the watched one, gets the difference to the last value.",
     .example = "delta = \"change\""},
    {.key = "increase",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "The same for a counter: a value below the last one has counted from zero (or see `max`). Null if one of "
                      "both is negative.",
     .example = "increase = \"used\""},
    {.key = "increase_rate",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation =
         "A float field of this name gets that increase per `unit`: the rate of a counter that may begin again. Null "
         "where the increase is, and if no time has passed.",
     .example = "increase_rate = \"per_second\""},
    {.key = "integral",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "A float field of this name gets the area under the values since the key's first, in value times `unit`.",
     .example = "integral = \"energy\""},
    {.key = "mean",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "A float field of this name gets the mean since the key's first value, weighted with time; null while no "
                      "time has passed.",
     .example = "mean = \"average\""},
    {.key = "unit",
     .type = StepOptionType::Duration,
     .standard = "1s",
     .minimum = "1ms",
     .documentation = "The unit of time of `rate`, `increase_rate` and `integral`.",
     .example = "unit = \"1h\""},
    {.key = "max",
     .type = StepOptionType::Number,
     .minimum = "0",
     .documentation =
         "The greatest value of a counter that wraps around: a value below the last one has passed it. The increase is "
         "then `max` - last + value, plus 1 for an int; null if a value is above `max`.",
     .example = "max = 4294967295"},
    {.key = "method",
     .type = StepOptionType::Choice,
     .standard = "trapezoid",
     .choices = methods,
     .documentation =
         "What `integral` and `mean` take the value to be between two records: a straight line (`trapezoid`), or the "
         "earlier of both (`step`).",
     .example = "method = \"step\""},
    {.key = "max_gap",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation =
         "A value that comes longer than this after the last one is the first of a new run; `0s`: no gap is too long.",
     .example = "max_gap = \"10min\""},
};

}  // namespace

const StepKind derive_step = {
    .verb = "derive",
    .documentation = "Verb: adds rate, difference, a counter's increase, integral or mean over time.",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
