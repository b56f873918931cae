// debounce: a new value goes on only after it has stood for `time` (contact bounce). The record that brought it is held back;
// it is handed on with the event time at which its value had stood long enough, its own plus `time`, unless another value came
// before. A value that returns to the last one that went on is no change.
//
// State of a key: u8 whether a record is held back, i64 its event time, i64 event time of the last result, the value that went
// on last (a ValueCell), the record that is held back (a RowCell).
#include "agent/operators/elapsed.h"
#include "agent/operators/row_cell.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/value_order.h"

namespace weir {
namespace {

constexpr uint32_t held_at = 0;
constexpr uint32_t since_at = 1;
constexpr uint32_t decided_at = 9;
constexpr uint32_t stable_at = 17;

class Debounce final : public KeyedFunction {
 public:
  /// `row` has room for a record of `input`.
  Debounce(uint32_t field, int64_t time_ms, const Schema& input, std::span<Value> row)
      : field_(field),
        time_ms_(time_ms),
        schema_(input),
        stable_(input[field].type, input[field].max_length),
        record_(input),
        record_at_(stable_at + stable_.bytes()),
        row_(row) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return record_at_ + record_.bytes(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "debounce";
    layout.add_shape("field", schema_[field_].name);
    layout.fields.add_flag("held");
    layout.fields.add_time("since");
    layout.fields.add_time("decided");
    layout.fields.add_cell("stable", schema_[field_].type, schema_[field_].max_length);
    record_.describe(layout.fields, "record");
  }
  bool valid(const uint8_t* state) const override {
    if (state[held_at] > 1 || !stable_.valid(state + stable_at) || !record_.valid(state + record_at_)) return false;
    return state[held_at] == 0 || !held_value(state).is_null();
  }
  bool uses_event_timers() const override { return true; }

  Outcome process(const Record& record, KeyContext& context) override {
    if (context.is_new()) store(context.state().data() + decided_at, INT64_MIN);
    // The watermark may be ahead of this key: what it has decided stands.
    if (record.event_time_ms < load<int64_t>(context.peek() + decided_at)) return Outcome::Late;
    settle(record.event_time_ms, context);
    const Value& value = record.values[field_];
    if (value.is_null() || is_held(context.peek(), value)) return Outcome::Filtered;
    if (is_stable(context.peek(), value)) {
      let_go(context);
      return Outcome::Filtered;
    }
    hold(record, context);
    return Outcome::Applied;
  }
  void on_event_timer(int64_t time_ms, KeyContext& context) override { settle(time_ms, context); }

 private:
  bool is_held(const uint8_t* state, const Value& value) const {
    return state[held_at] != 0 && compare_values(held_value(state), value) == 0;
  }
  bool is_stable(const uint8_t* state, const Value& value) const {
    return stable_.present(state + stable_at) && compare_values(stable_.get(state + stable_at), value) == 0;
  }
  const Value& held_value(const uint8_t* state) const {
    record_.get(state + record_at_, row_);
    return row_[field_];
  }

  void hold(const Record& record, KeyContext& context) {
    uint8_t* state = context.state().data();
    state[held_at] = 1;
    store(state + since_at, record.event_time_ms);
    record_.put(state + record_at_, record.values);
    context.set_event_timer(later_ms(record.event_time_ms, time_ms_));
  }
  void let_go(KeyContext& context) {
    if (context.peek()[held_at] == 0) return;
    context.state()[held_at] = 0;
    context.clear_event_timer();
  }

  /// Hands the held record on if its value has stood long enough at `now_ms`.
  void settle(int64_t now_ms, KeyContext& context) {
    const uint8_t* before = context.peek();
    const int64_t due_ms = later_ms(load<int64_t>(before + since_at), time_ms_);
    if (before[held_at] == 0 || due_ms > now_ms) return;
    uint8_t* state = context.state().data();
    stable_.put(state + stable_at, held_value(state));
    store(state + decided_at, due_ms);
    let_go(context);
    context.emit(row_, due_ms);
  }

  uint32_t field_;
  int64_t time_ms_;
  const Schema& schema_;
  ValueCell stable_;
  RowCell record_;
  uint32_t record_at_;
  std::span<Value> row_;
};

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const uint32_t field = build.field("field", all_types);
  if (!build.good()) return nullptr;
  const std::span<Value> row = build.arena().take<Value>(build.input().size(), build.pool() + ".result", "1 row");
  return build.keyed(std::make_unique<Debounce>(field, build.options().integer("time"), build.input(), row));
}

constexpr StepOption options[] = {
    {.key = "field",
     .type = StepOptionType::Text,
     .required = true,
     .documentation = "The field that is watched, of any type. Records in which it is null do not go on and change nothing.",
     .example = "field = \"door_open\""},
    {.key = "time",
     .type = StepOptionType::Duration,
     .required = true,
     .minimum = "1ms",
     .documentation = "How long a new value must stand, in event time, until it goes on.",
     .example = "time = \"50ms\""},
};

}  // namespace

const StepKind debounce_step = {
    .verb = "debounce",
    .documentation = "Verb: a new value goes on after it has stood for a time; what bounces does not.",
    .options = options,
    .keyed = true,
    .needs_event_time = true,
    .make = make,
};

}  // namespace weir
