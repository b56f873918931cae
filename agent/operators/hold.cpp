// hold: tells once that a condition has been true for a time without a break. The result has the values of the newest record
// before that moment, the moment as its event time, and since when the condition holds as an added field. Only after the
// condition was false can it be told again. Records for which the condition is null are passed over.
//
// State of a key: u8 phase, i64 event time since which the condition holds, i64 event time of the last result, the newest
// record (a RowCell).
//
//   phase     the condition is true     it is false     `for` has passed
//   broken    holding                   -               -
//   holding   newest record kept        broken          told, result
//   told      -                         broken          -
#include "agent/operators/elapsed.h"
#include "agent/operators/row_cell.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

enum Phase : uint8_t { broken, holding, told };

constexpr uint32_t phase_at = 0;
constexpr uint32_t since_at = 1;
constexpr uint32_t decided_at = 9;
constexpr uint32_t record_at = 17;

class Hold final : public KeyedFunction {
 public:
  /// `row` has room for a record of `schema`, the input's fields and the time since which the condition holds.
  Hold(Program condition, int64_t for_ms, const Schema& input, Schema schema, std::span<Value> row)
      : condition_(std::move(condition)), for_ms_(for_ms), record_(input), schema_(std::move(schema)), row_(row) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return record_at + record_.bytes(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "hold";
    layout.fields.add_u8("phase");
    layout.fields.add_time("since");
    layout.fields.add_time("decided");
    record_.describe(layout.fields, "record");
  }
  bool valid(const uint8_t* state) const override { return state[phase_at] <= told && record_.valid(state + record_at); }
  bool uses_event_timers() const override { return true; }

  Outcome process(const Record& record, KeyContext& context) override {
    if (context.is_new()) store(context.state().data() + decided_at, INT64_MIN);
    // The watermark may be ahead of this key: what it has decided stands.
    if (record.event_time_ms < load<int64_t>(context.peek() + decided_at)) return Outcome::Late;
    tell(record.event_time_ms, context);
    const Value verdict = condition_.evaluate(record.values);
    if (verdict.is_null()) return Outcome::Filtered;
    return verdict.as_bool() ? keep(record, context) : give_up(context);
  }
  void on_event_timer(int64_t time_ms, KeyContext& context) override { tell(time_ms, context); }

 private:
  Outcome keep(const Record& record, KeyContext& context) {
    const uint8_t phase = context.peek()[phase_at];
    if (phase == told) return Outcome::Filtered;
    uint8_t* state = context.state().data();
    record_.put(state + record_at, record.values);
    if (phase == broken) {
      state[phase_at] = holding;
      store(state + since_at, record.event_time_ms);
      context.set_event_timer(later_ms(record.event_time_ms, for_ms_));
    }
    return Outcome::Applied;
  }

  Outcome give_up(KeyContext& context) {
    if (context.peek()[phase_at] == broken) return Outcome::Filtered;
    context.state()[phase_at] = broken;
    context.clear_event_timer();
    return Outcome::Applied;
  }

  /// Hands on the result if the condition has held for long enough at `now_ms`.
  void tell(int64_t now_ms, KeyContext& context) {
    const auto since_ms = load<int64_t>(context.peek() + since_at);
    const int64_t due_ms = later_ms(since_ms, for_ms_);
    if (context.peek()[phase_at] != holding || due_ms > now_ms) return;
    uint8_t* state = context.state().data();
    state[phase_at] = told;
    store(state + decided_at, due_ms);
    context.clear_event_timer();
    record_.get(state + record_at, row_);
    row_.back() = Value::of_time(since_ms);
    context.emit(row_, due_ms);
  }

  Program condition_;
  int64_t for_ms_;
  RowCell record_;
  Schema schema_;
  std::span<Value> row_;
};

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  Program condition = build.expression("condition", Type::Bool);
  Schema schema = build.input();
  build.add_field(schema, {"held_since", Type::Time}, "condition");
  if (!build.good()) return nullptr;
  const std::span<Value> row = build.arena().take<Value>(schema.size(), build.pool() + ".result", "1 row");
  return build.keyed(
      std::make_unique<Hold>(std::move(condition), build.options().integer("for"), build.input(), std::move(schema), row));
}

constexpr StepOption options[] = {
    {.key = "condition",
     .type = StepOptionType::Expression,
     .required = true,
     .documentation =
         "What must be true. A record for which it is null is passed over: it neither breaks the time nor makes it.",
     .example = "condition = \"temperature > 80\""},
    {.key = "for",
     .type = StepOptionType::Duration,
     .required = true,
     .minimum = "1ms",
     .documentation =
         "How long it must have been true without a break, in event time. No further record is needed: the watermark "
         "decides.",
     .example = "for = \"30s\""},
};

}  // namespace

const StepKind hold_step = {
    .verb = "hold",
    .documentation = "Verb: tells once that a condition has been true for a time.",
    .options = options,
    .keyed = true,
    .needs_event_time = true,
    .make = make,
};

}  // namespace weir
