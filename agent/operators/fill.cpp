// fill: a field's nulls get a value from their surroundings. The methods that look back only answer at once; "linear" needs the
// next value and is fill_linear's.
#include <algorithm>

#include "agent/expression/arithmetic.h"
#include "agent/operators/added_fields.h"
#include "agent/operators/elapsed.h"
#include "agent/operators/fill_linear.h"
#include "agent/operators/method_options.h"
#include "agent/operators/sample_ring.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

/// What the methods that answer at once have in common.
class FillAtOnce : public KeyedFunction {
 public:
  FillAtOnce(uint32_t field, const StepBuild& build) : field_(field), fields_(build.input()) { fields_.take_row(build); }

  const Schema& schema() const override { return fields_.schema(); }

  Outcome process(const Record& record, KeyContext& context) override {
    const Value& value = record.values[field_];
    if (!value.is_null()) {
      learn(value, record.event_time_ms, context);
      return context.forward(record);
    }
    fields_.begin(record);
    fields_.set(field_, substitute(record.event_time_ms, context.peek()));
    return context.forward(record, fields_.row());
  }

 protected:
  const Field& field() const { return schema()[field_]; }
  const std::string& name() const { return field().name; }

 private:
  virtual void learn(const Value& value, int64_t time_ms, KeyContext& context) const = 0;
  virtual Value substitute(int64_t time_ms, const uint8_t* state) const = 0;

  uint32_t field_;
  AddedFields fields_;
};

/// No state.
class FillConstant final : public FillAtOnce {
 public:
  FillConstant(uint32_t field, Value constant, const StepBuild& build) : FillAtOnce(field, build), constant_(constant) {}

  uint32_t state_bytes() const override { return 0; }
  void describe(StateLayout& layout) const override {
    layout.kind = "fill";
    layout.add_shape("method", "value");
  }
  bool valid(const uint8_t*) const override { return true; }
  bool needs_order() const override { return false; }

 private:
  void learn(const Value&, int64_t, KeyContext&) const override {}
  Value substitute(int64_t, const uint8_t*) const override { return constant_; }

  Value constant_;
};

/// State of a key: i64 event time of the last value, its ValueCell.
class FillLast final : public FillAtOnce {
 public:
  FillLast(uint32_t field, int64_t max_gap_ms, const StepBuild& build)
      : FillAtOnce(field, build), max_gap_ms_(max_gap_ms), cell_(build.input()[field].type, build.input()[field].max_length) {}

  uint32_t state_bytes() const override { return cell_at + cell_.bytes(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "fill";
    layout.add_shape("method", "last");
    layout.add_shape("field", name());
    layout.fields.add_time("time");
    layout.fields.add_cell("value", field().type, field().max_length);
  }
  bool valid(const uint8_t* state) const override { return cell_.valid(state + cell_at); }

 private:
  static constexpr uint32_t cell_at = 8;

  void learn(const Value& value, int64_t time_ms, KeyContext& context) const override {
    uint8_t* state = context.state().data();
    store(state, time_ms);
    cell_.put(state + cell_at, value);
  }
  Value substitute(int64_t time_ms, const uint8_t* state) const override {
    const bool too_old = max_gap_ms_ > 0 && elapsed_ms(load<int64_t>(state), time_ms) > max_gap_ms_;
    return too_old ? Value::null() : cell_.get(state + cell_at);
  }

  int64_t max_gap_ms_;  // 0: none is too old
  ValueCell cell_;
};

/// State of a key: i64 event time of the last value, SampleRing.
class FillMean final : public FillAtOnce {
 public:
  FillMean(uint32_t field, uint32_t samples, int64_t max_gap_ms, const StepBuild& build)
      : FillAtOnce(field, build), max_gap_ms_(max_gap_ms), ring_(samples, false) {}

  uint32_t state_bytes() const override { return ring_at + ring_.bytes(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "fill";
    layout.add_shape("method", "mean");
    layout.add_shape("field", name());
    layout.fields.add_time("time");
    ring_.describe(layout.fields);
  }
  bool valid(const uint8_t* state) const override { return ring_.valid(state + ring_at); }

 private:
  static constexpr uint32_t ring_at = 8;

  bool too_old(const uint8_t* state, int64_t time_ms) const {
    return max_gap_ms_ > 0 && elapsed_ms(load<int64_t>(state), time_ms) > max_gap_ms_;
  }
  void learn(const Value& value, int64_t time_ms, KeyContext& context) const override {
    uint8_t* state = context.state().data();
    if (too_old(state, time_ms)) ring_.clear(state + ring_at);
    ring_.push(state + ring_at, value.as_float());
    store(state, time_ms);
  }
  Value substitute(int64_t time_ms, const uint8_t* state) const override {
    const bool known = ring_.count(state + ring_at) > 0 && !too_old(state, time_ms);
    return known ? Value::of_float(ring_.mean(state + ring_at)) : Value::null();
  }

  int64_t max_gap_ms_;
  SampleRing ring_;
};

/// The constant as a value of the field's type.
Value constant_of(StepBuild& build, uint32_t field) {
  const double number = build.options().number("value");
  if (build.input()[field].type == Type::Float) return Value::of_float(number);
  if (is_whole_number(number)) return Value::of_int(static_cast<int64_t>(number));
  build.error("value", "the field is an int, and this is no whole number up to 2^53");
  return {};
}

TypeSet types_for(std::string_view method) {
  if (method == "last") return all_types;
  return method == "value" ? number_types : TypeSet(Type::Float);
}

std::unique_ptr<KeyedFunction> make_function(StepBuild& build, std::string_view method, uint32_t field) {
  const StepOptions& options = build.options();
  const int64_t max_gap_ms = options.integer("max_gap");
  if (method == "last") return std::make_unique<FillLast>(field, max_gap_ms, build);
  if (method == "value") return std::make_unique<FillConstant>(field, constant_of(build, field), build);
  if (method == "mean")
    return std::make_unique<FillMean>(field, std::max(1U, static_cast<uint32_t>(options.integer("samples"))), max_gap_ms,
                                      build);
  return make_fill_linear(field, max_gap_ms, static_cast<uint32_t>(options.integer("max_held")), build);
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const std::string& method = build.options().text("method").value;
  const uint32_t field = build.field("field", types_for(method));
  if (method == "value") require_option(build, "value", "value = 0");
  if (method == "mean") require_option(build, "samples", "samples = 10");
  refuse_unless(build, "value", method == "value");
  refuse_unless(build, "samples", method == "mean");
  refuse_unless(build, "max_held", method == "linear");
  refuse_unless(build, "max_gap", method != "value");
  if (!build.good()) return nullptr;
  return build.keyed(make_function(build, method, field));
}

constexpr const char* methods[] = {"last", "linear", "mean", "value"};

constexpr StepOption options[] = {
    {.key = "field",
     .type = StepOptionType::Text,
     .required = true,
     .documentation =
         "The field whose nulls are filled: of any type for `last`, int or float for `value`, float for `linear` and "
         "`mean`.",
     .example = "field = \"temperature\""},
    {.key = "method",
     .type = StepOptionType::Choice,
     .required = true,
     .choices = methods,
     .documentation =
         "`last`: the last value before. `linear`: on the straight line between the values before and after; records in "
         "between are held back until the value after is there. `mean`: the mean of the last `samples` values. `value`: "
         "always `value`.",
     .example = "method = \"last\""},
    {.key = "value",
     .type = StepOptionType::Number,
     .documentation = "Of `value`: the number that takes the place of null.",
     .example = "value = 0"},
    {.key = "samples",
     .type = StepOptionType::Integer,
     .minimum = "1",
     .maximum = "1000",
     .documentation = "Of `mean`: over so many values; while there are fewer, over those there are.",
     .example = "samples = 10"},
    {.key = "max_gap",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation =
         "A null that comes longer than this after the last value stays null; with `linear` all nulls of a gap that is "
         "longer. `0s`: no gap is too long.",
     .example = "max_gap = \"10min\""},
    {.key = "max_held",
     .type = StepOptionType::Integer,
     .standard = "8",
     .minimum = "1",
     .maximum = "256",
     .documentation =
         "Of `linear`: so many records of a key are held back. When one more comes, the gap is given up: they all go on "
         "with null, and so does what comes until the next value.",
     .example = "max_held = 60"},
};

}  // namespace

const StepKind fill_step = {
    .verb = "fill",
    .documentation = "Verb: gives a field's nulls a value from their surroundings.",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
