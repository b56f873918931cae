// distinct: about how many different values of a field each key has shown, by HyperLogLog: with a window one result when it
// closes, without one the count so far is added to every record.
//
// State of a key: the registers, one byte each (with a window behind i64 start; see tumbling_function.h).
#include <algorithm>
#include <cmath>

#include "agent/operators/hyperloglog.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/tumbling_function.h"

namespace weir {
namespace {

struct DistinctSpec {
  uint32_t field = 0;
  std::string field_name;
  HyperLogLog log{HyperLogLog::precision_min};

  void describe(StateLayout& layout) const {
    layout.kind = "distinct";
    layout.add_shape("field", field_name);
    layout.fields.add_bytes(log.bytes(), "registers");
  }
  Value count(const uint8_t* registers) const {
    // Full registers can stand for more than an int holds.
    constexpr double most = 9.0e18;
    return Value::of_int(static_cast<int64_t>(std::floor(std::min(most, log.estimate(registers)) + 0.5)));
  }
};

class DistinctSoFar final : public KeyedFunction {
 public:
  DistinctSoFar(DistinctSpec spec, Schema schema, std::span<Value> row)
      : spec_(std::move(spec)), schema_(std::move(schema)), row_(row) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return spec_.log.bytes(); }
  void describe(StateLayout& layout) const override { spec_.describe(layout); }
  bool valid(const uint8_t* state) const override { return spec_.log.valid(state); }
  bool needs_order() const override { return false; }

  Outcome process(const Record& record, KeyContext& context) override {
    if (const Value& value = record.values[spec_.field]; !value.is_null()) {
      const uint64_t hash = distinct_hash(value);
      if (spec_.log.changes(context.peek(), hash)) spec_.log.add(context.state().data(), hash);
    }
    std::ranges::copy(record.values, row_.begin());
    row_.back() = spec_.count(context.peek());
    return context.forward(record, row_);
  }

 private:
  DistinctSpec spec_;
  Schema schema_;
  std::span<Value> row_;
};

class DistinctPerWindow final : public TumblingFunction {
 public:
  /// `schema`: the key fields, window_start, window_end, the count.
  DistinctPerWindow(TumblingWindows windows, DistinctSpec spec, Schema schema, std::span<Value> row)
      : TumblingFunction(windows), spec_(std::move(spec)), schema_(std::move(schema)), row_(row) {}

  const Schema& schema() const override { return schema_; }

 protected:
  uint32_t body_bytes() const override { return spec_.log.bytes(); }
  void describe_body(StateLayout& layout) const override { spec_.describe(layout); }
  bool body_valid(const uint8_t* body) const override { return spec_.log.valid(body); }
  bool ignores(const Record& record) const override { return record.values[spec_.field].is_null(); }

  void add(const Record& record, KeyContext& context) override {
    const uint64_t hash = distinct_hash(record.values[spec_.field]);
    if (spec_.log.changes(body(context), hash)) spec_.log.add(edit_body(context), hash);
  }
  void report(const Window& window, KeyContext& context) override {
    auto next = std::ranges::copy(context.key(), row_.begin()).out;
    *next++ = Value::of_time(window.start_ms);
    *next++ = Value::of_time(window.end_ms);
    *next = spec_.count(body(context));
    context.emit(row_, window.last_ms);
  }

 private:
  DistinctSpec spec_;
  Schema schema_;
  std::span<Value> row_;
};

std::span<Value> take_row(const StepBuild& build, const Schema& schema) {
  return build.arena().take<Value>(schema.size(), build.pool() + ".result",
                                   "1 row x " + std::to_string(schema.size()) + " fields x 16 bytes");
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  DistinctSpec spec;
  spec.field = build.field("field", all_types);
  spec.field_name = options.text("field").value;
  spec.log = HyperLogLog(static_cast<uint32_t>(options.integer("precision")));
  const bool windowed = options.given("window");
  Schema schema = windowed ? build.key_schema() : build.input();
  TumblingWindows windows;
  if (windowed) {
    windows = tumbling_windows(build);
    add_window_fields(build, schema);
  } else if (options.given("offset")) {
    build.error("offset", "\"offset\" belongs to a \"window\", and there is none");
  }
  build.add_field(schema, {options.text("name").value, Type::Int, 0}, "name");
  if (!build.good()) return nullptr;
  const std::span<Value> row = take_row(build, schema);
  if (windowed) return build.keyed(std::make_unique<DistinctPerWindow>(windows, std::move(spec), std::move(schema), row));
  return build.keyed(std::make_unique<DistinctSoFar>(std::move(spec), std::move(schema), row));
}

constexpr StepOption options[] = {
    {.key = "field",
     .type = StepOptionType::Text,
     .required = true,
     .documentation = "The field whose different values are counted, of any type. Null is no value.",
     .example = "field = \"card\""},
    {.key = "name",
     .type = StepOptionType::Text,
     .standard = "distinct",
     .minimum = "1",
     .documentation = "The int field that gets the count.",
     .example = "name = \"cards\""},
    {.key = "window",
     .type = StepOptionType::Duration,
     .standard_note = "none: the count since the beginning is added to every record",
     .minimum = "1ms",
     .documentation = "Counts per tumbling window of event time; one result per key and window, when it closes.",
     .example = "window = \"1h\""},
    {.key = "offset",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation = "Windows begin at multiples of `window` plus this.",
     .example = "offset = \"15min\""},
    {.key = "precision",
     .type = StepOptionType::Integer,
     .standard = "10",
     .minimum = "4",
     .maximum = "14",
     .documentation = "2^precision bytes per key; the standard error of the count is 1.04 / sqrt(2^precision): 3.3 % for 10, "
                      "0.8 % for 14.",
     .example = "precision = 12"},
};

}  // namespace

const StepKind distinct_step = {
    .verb = "distinct",
    .documentation = "Verb: about how many different values a field has, per window or since the beginning (HyperLogLog).",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
