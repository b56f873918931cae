// top: the most frequent values of a field per key and tumbling window, by Space-Saving: when the window closes one record per
// rank, with the count and by how much it can be too high.
//
// State of a key: i64 start of the window (tumbling_function.h), then the counters (space_saving.h).
#include <algorithm>

#include "agent/operators/space_saving.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/tumbling_function.h"

namespace weir {
namespace {

struct TopSpec {
  uint32_t field = 0;
  Field output;
  uint32_t ranks = 0;
  uint32_t counters = 0;
};

class Top final : public TumblingFunction {
 public:
  /// `schema`: the key fields, window_start, window_end, rank, the value, count, error.
  Top(TumblingWindows windows, TopSpec spec, Schema schema, Arena& arena, const std::string& pool)
      : TumblingFunction(windows), spec_(std::move(spec)), schema_(std::move(schema)), sketch_(spec_.output, spec_.counters) {
    row_ = arena.take<Value>(schema_.size(), pool + ".result", "1 row x " + std::to_string(schema_.size()) + " fields");
    entries_ = arena.take<SpaceSaving::Entry>(spec_.ranks, pool + ".ranks", std::to_string(spec_.ranks) + " ranks");
  }

  const Schema& schema() const override { return schema_; }
  uint32_t fan_out() const override { return spec_.ranks; }

 protected:
  uint32_t body_bytes() const override { return sketch_.bytes(); }
  void describe_body(StateLayout& layout) const override {
    layout.kind = "top";
    layout.add_shape("field", spec_.output.name);
    layout.add_shape("counters", spec_.counters);
    layout.fields.add_u32("count");
    StoredFields& counter = layout.fields.add_list("counters", spec_.counters, "count");
    counter.add_u64("count");
    counter.add_u64("error");
    counter.add_cell("value", spec_.output.type, spec_.output.max_length);
  }
  bool body_valid(const uint8_t* body) const override { return sketch_.valid(body); }
  bool ignores(const Record& record) const override { return record.values[spec_.field].is_null(); }
  void add(const Record& record, KeyContext& context) override { sketch_.add(edit_body(context), record.values[spec_.field]); }

  void report(const Window& window, KeyContext& context) override {
    const size_t count = sketch_.top(body(context), entries_);
    for (size_t index = 0; index < count; ++index) {
      const SpaceSaving::Entry& each = entries_[index];
      auto next = std::ranges::copy(context.key(), row_.begin()).out;
      *next++ = Value::of_time(window.start_ms);
      *next++ = Value::of_time(window.end_ms);
      *next++ = Value::of_int(static_cast<int64_t>(index) + 1);
      *next++ = each.value;
      *next++ = Value::of_int(static_cast<int64_t>(each.count));
      *next = Value::of_int(static_cast<int64_t>(each.error));
      context.emit(row_, window.last_ms, index);
    }
  }

 private:
  TopSpec spec_;
  Schema schema_;
  SpaceSaving sketch_;
  std::span<Value> row_;
  std::span<SpaceSaving::Entry> entries_;
};

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  TopSpec spec;
  spec.field = build.field("field", all_types);
  spec.ranks = static_cast<uint32_t>(options.integer("k"));
  spec.counters = options.given("counters") ? static_cast<uint32_t>(options.integer("counters")) : 8 * spec.ranks;
  if (spec.counters < spec.ranks) build.error("counters", "\"counters\" must be at least \"k\"");
  const TumblingWindows windows = tumbling_windows(build);
  if (!build.good()) return nullptr;
  const Field& input = build.input()[spec.field];
  spec.output = {input.name, input.type, input.max_length};
  Schema schema = build.key_schema();
  add_window_fields(build, schema);
  build.add_field(schema, {"rank", Type::Int, 0}, "field");
  build.add_field(schema, spec.output, "field");
  build.add_field(schema, {"count", Type::Int, 0}, "field");
  build.add_field(schema, {"error", Type::Int, 0}, "field");
  if (!build.good()) return nullptr;
  return build.keyed(std::make_unique<Top>(windows, std::move(spec), std::move(schema), build.arena(), build.pool()));
}

constexpr StepOption options[] = {
    {.key = "field",
     .type = StepOptionType::Text,
     .required = true,
     .documentation =
         "The field whose most frequent values are found, of any type. Records in which it is null are filtered out.",
     .example = "field = \"error_code\""},
    {.key = "k",
     .type = StepOptionType::Integer,
     .standard = "3",
     .minimum = "1",
     .maximum = "64",
     .documentation = "How many ranks are reported.",
     .example = "k = 5"},
    {.key = "window",
     .type = StepOptionType::Duration,
     .required = true,
     .minimum = "1ms",
     .documentation = "The length of the tumbling windows of event time.",
     .example = "window = \"1h\""},
    {.key = "offset",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation = "Windows begin at multiples of `window` plus this.",
     .example = "offset = \"15min\""},
    {.key = "counters",
     .type = StepOptionType::Integer,
     .standard_note = "8 times `k`",
     .minimum = "1",
     .maximum = "1024",
     .documentation = "Values counted at a time. While a window has no more different values its counts are exact; otherwise a "
                      "count is too high by at most `error`, which is at most the window's records divided by this.",
     .example = "counters = 100"},
};

}  // namespace

const StepKind top_step = {
    .verb = "top",
    .documentation = "Verb: the most frequent values of a field per window (Space-Saving).",
    .options = options,
    .keyed = true,
    .needs_event_time = true,
    .make = make,
};

}  // namespace weir
