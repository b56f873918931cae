// alarm: an alarm with hysteresis per key. It goes on when `on` has been true for `on_delay`, off when `off` has been true for
// `off_delay`; with `latch` it then stays until a record says `reset`. Each change of state that shows is a result: the values
// of the record that caused it (the one with which the condition began), and what the alarm is now.
//
//   state        what a record says                      what the watermark says       the alarm
//   normal       on: pending-on, or on if no delay       -                             false
//   pending-on   not on: normal                          on_delay has passed: on       false
//   on           off: pending-off, or as after the delay -                             true
//   pending-off  not off: on                             off_delay has passed: latched true
//                                                        with `latch`, else normal
//   latched      on: on at once; reset: normal           -                             true
//
// A condition that is null says nothing. In `latched`, `on` comes before `reset`. A record that makes the alarm latched and
// says `reset` itself makes it normal. While the alarm is true, `repeat` makes further results at multiples of that time since
// it went on; if several multiples have passed at one look, one result is made, for the last of them, and the end of input
// makes none. A delay has passed for a record at exactly its end, and before that record is looked at.
//
// A change without delay is the record itself that goes on; what time brings about is a result of the step's own.
//
// State of a key: u8 state, i64 event time since which the condition of a pending state holds, i64 since which the state that
// shows holds, i64 when the alarm went on, i64 next repeat, i64 event time of the last result that time brought about; with
// delays or `repeat` a record (a RowCell): the one that began the pending state, otherwise the newest.
#include <algorithm>

#include "agent/operators/elapsed.h"
#include "agent/operators/row_cell.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

enum AlarmState : uint8_t { normal, pending_on, on, pending_off, latched };

constexpr uint32_t state_at = 0;
constexpr uint32_t pending_at = 1;
constexpr uint32_t since_at = 9;
constexpr uint32_t raised_at = 17;
constexpr uint32_t repeat_at = 25;
constexpr uint32_t decided_at = 33;
constexpr uint32_t record_at = 41;

/// Of the results of one key at one event time.
enum Ordinal : uint64_t { by_on_delay, by_off_delay, by_repeat };

struct AlarmRules {
  Program on;
  Program off;    // empty: not on
  Program reset;  // empty: the alarm does not latch
  int64_t on_delay_ms = 0;
  int64_t off_delay_ms = 0;
  int64_t repeat_ms = 0;  // 0: none

  bool delays() const { return on_delay_ms > 0 || off_delay_ms > 0; }
  bool keeps_record() const { return delays() || repeat_ms > 0; }
};

bool shows(uint8_t state) { return state >= on; }

const char* name_of(uint8_t state) {
  if (state == latched) return "latched";
  return shows(state) ? "on" : "off";
}

class Alarm final : public KeyedFunction {
 public:
  /// `row` has room for a record of `schema`: the input's fields and the four that add_alarm_fields() adds.
  Alarm(AlarmRules rules, const Schema& input, Schema schema, std::span<Value> row)
      : rules_(std::move(rules)), record_(input), input_size_(input.size()), schema_(std::move(schema)), row_(row) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return record_at + (rules_.keeps_record() ? record_.bytes() : 0); }
  void describe(StateLayout& layout) const override {
    layout.kind = "alarm";
    layout.fields.add_u8("state");
    for (const char* name : {"pending_since", "since", "raised", "repeat", "decided"}) layout.fields.add_time(name);
    if (rules_.keeps_record()) record_.describe(layout.fields, "record");
  }
  bool valid(const uint8_t* state) const override {
    return state[state_at] <= latched && (!rules_.keeps_record() || record_.valid(state + record_at));
  }
  bool uses_event_timers() const override { return rules_.keeps_record(); }
  uint32_t fan_out() const override {
    const uint32_t changes = rules_.delays() ? 2 : 1;
    return rules_.repeat_ms > 0 ? 2 * changes : changes;
  }

  Outcome process(const Record& record, KeyContext& context) override {
    if (context.is_new()) store(context.state().data() + decided_at, INT64_MIN);
    // The watermark may be ahead of this key: what it has decided stands.
    if (record.event_time_ms < load<int64_t>(context.peek() + decided_at)) return Outcome::Late;
    catch_up(record.event_time_ms, context);
    const Outcome outcome = look_at(record, context);
    arm(context);
    return outcome;
  }

  void on_event_timer(int64_t time_ms, KeyContext& context) override {
    catch_up(std::max(time_ms, context.watermark_ms()), context);
    arm(context);
  }

 private:
  // ---- what a record says

  Outcome look_at(const Record& record, KeyContext& context) {
    const uint8_t before = context.peek()[state_at];
    switch (before) {
      case normal:
        return is_true(rules_.on, record) ? begin_on(record, context) : Outcome::Filtered;
      case pending_on:
        return is_false(rules_.on, record) ? back_to(normal, context) : Outcome::Filtered;
      case on:
        return is_off(record) ? begin_off(record, context) : stay(record, context);
      case pending_off:
        if (!is_not_off(record)) return Outcome::Filtered;
        (void)back_to(on, context);
        return stay(record, context);
      default:
        if (is_true(rules_.on, record)) return change(on, record, context);
        return says_reset(record) ? change(normal, record, context) : stay(record, context);
    }
  }

  Outcome begin_on(const Record& record, KeyContext& context) {
    if (rules_.on_delay_ms > 0) return wait_in(pending_on, record, context);
    raise(record.event_time_ms, context);
    return change(on, record, context);
  }

  Outcome begin_off(const Record& record, KeyContext& context) {
    if (rules_.off_delay_ms > 0) return wait_in(pending_off, record, context);
    return change(latches() && !says_reset(record) ? latched : normal, record, context);
  }

  Outcome wait_in(AlarmState state, const Record& record, KeyContext& context) {
    set(context, state);
    store(context.state().data() + pending_at, record.event_time_ms);
    keep(record, context);
    return Outcome::Applied;
  }

  Outcome back_to(AlarmState state, KeyContext& context) {
    set(context, state);
    return Outcome::Applied;
  }

  /// The alarm is true and remains what it is; a repeat shows the newest record.
  Outcome stay(const Record& record, KeyContext& context) {
    if (rules_.repeat_ms == 0) return Outcome::Filtered;
    keep(record, context);
    return Outcome::Applied;
  }

  Outcome change(AlarmState state, const Record& record, KeyContext& context) {
    set(context, state);
    store(context.state().data() + since_at, record.event_time_ms);
    if (rules_.repeat_ms > 0) keep(record, context);
    std::ranges::copy(record.values, row_.begin());
    say(context, 0);
    return context.forward(record, row_);
  }

  static bool is_true(const Program& condition, const Record& record) {
    const Value verdict = condition.evaluate(record.values);
    return !verdict.is_null() && verdict.as_bool();
  }
  static bool is_false(const Program& condition, const Record& record) {
    const Value verdict = condition.evaluate(record.values);
    return !verdict.is_null() && !verdict.as_bool();
  }
  bool is_off(const Record& record) const {
    return rules_.off.empty() ? is_false(rules_.on, record) : is_true(rules_.off, record);
  }
  bool is_not_off(const Record& record) const {
    return rules_.off.empty() ? is_true(rules_.on, record) : is_false(rules_.off, record);
  }
  bool latches() const { return !rules_.reset.empty(); }
  bool says_reset(const Record& record) const { return latches() && is_true(rules_.reset, record); }

  // ---- what time brings about

  /// Everything that is due at `now_ms`, in the order of its times.
  void catch_up(int64_t now_ms, KeyContext& context) {
    const int64_t due_ms = pending_until(context.peek());
    if (due_ms > now_ms || due_ms == no_timer) return repeat_until(now_ms, context);
    if (due_ms > INT64_MIN) repeat_until(due_ms - 1, context);
    const bool goes_on = context.peek()[state_at] == pending_on;
    if (goes_on) raise(due_ms, context);
    set(context, goes_on ? on : latches() ? latched : normal);
    uint8_t* state = context.state().data();
    store(state + since_at, load<int64_t>(state + pending_at));
    emit_kept(due_ms, goes_on ? by_on_delay : by_off_delay, 0, context);
    repeat_until(now_ms, context);
  }

  /// When the delay of a pending state is over; no_timer if none runs.
  int64_t pending_until(const uint8_t* state) const {
    if (state[state_at] != pending_on && state[state_at] != pending_off) return no_timer;
    return later_ms(load<int64_t>(state + pending_at),
                    state[state_at] == pending_on ? rules_.on_delay_ms : rules_.off_delay_ms);
  }

  void repeat_until(int64_t now_ms, KeyContext& context) {
    if (next_repeat(context.peek()) > now_ms || now_ms == INT64_MAX) return;
    const auto raised_ms = load<int64_t>(context.peek() + raised_at);
    const int64_t times = elapsed_ms(raised_ms, now_ms) / rules_.repeat_ms;
    const int64_t at_ms = raised_ms + times * rules_.repeat_ms;
    // A span beyond 64 bits is cut, and the next multiple must not lie behind all the same.
    store(context.state().data() + repeat_at, std::max(later_ms(at_ms, rules_.repeat_ms), later_ms(now_ms, 1)));
    emit_kept(at_ms, by_repeat, times, context);
  }

  int64_t next_repeat(const uint8_t* state) const {
    return rules_.repeat_ms > 0 && shows(state[state_at]) ? load<int64_t>(state + repeat_at) : no_timer;
  }

  void arm(KeyContext& context) const {
    if (!uses_event_timers()) return;
    const int64_t repeat_ms = context.watermark_ms() == INT64_MAX ? no_timer : next_repeat(context.peek());
    context.set_event_timer(std::min(pending_until(context.peek()), repeat_ms));
  }

  // ---- state and results

  static void set(KeyContext& context, AlarmState state) { context.state()[state_at] = state; }
  void raise(int64_t time_ms, KeyContext& context) const {
    uint8_t* state = context.state().data();
    store(state + raised_at, time_ms);
    store(state + repeat_at, later_ms(time_ms, rules_.repeat_ms));
  }
  void keep(const Record& record, KeyContext& context) const { record_.put(context.state().data() + record_at, record.values); }

  /// Writes the added fields into the row.
  void say(const KeyContext& context, int64_t repeats) {
    const uint8_t* state = context.peek();
    Value* added = row_.data() + input_size_;
    added[0] = Value::of_bool(shows(state[state_at]));
    added[1] = Value::of_string(name_of(state[state_at]));
    added[2] = Value::of_time(load<int64_t>(state + since_at));
    added[3] = Value::of_int(repeats);
  }

  void emit_kept(int64_t time_ms, Ordinal ordinal, int64_t repeats, KeyContext& context) {
    store(context.state().data() + decided_at, time_ms);
    record_.get(context.peek() + record_at, row_);
    say(context, repeats);
    context.emit(row_, time_ms, ordinal);
  }

  AlarmRules rules_;
  RowCell record_;
  size_t input_size_;
  Schema schema_;
  std::span<Value> row_;
};

void add_alarm_fields(StepBuild& build, Schema& schema) {
  build.add_field(schema, {"alarm", Type::Bool}, "on");
  build.add_field(schema, {"alarm_state", Type::String, 7}, "on");
  build.add_field(schema, {"alarm_since", Type::Time}, "on");
  build.add_field(schema, {"alarm_repeats", Type::Int}, "on");
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  AlarmRules rules;
  rules.on = build.expression("on", Type::Bool);
  if (options.given("off")) rules.off = build.expression("off", Type::Bool);
  if (options.given("reset")) rules.reset = build.expression("reset", Type::Bool);
  rules.on_delay_ms = options.integer("on_delay");
  rules.off_delay_ms = options.integer("off_delay");
  rules.repeat_ms = options.integer("repeat");
  if (options.boolean("latch") && !options.given("reset"))
    build.error("latch", "a latched alarm needs \"reset\", or it would stay for ever", "for example: reset = \"acknowledged\"");
  if (options.given("reset") && !options.boolean("latch"))
    build.error("reset", "only a latched alarm is reset", "add latch = true");
  Schema schema = build.input();
  add_alarm_fields(build, schema);
  if (!build.good()) return nullptr;
  const std::span<Value> row = build.arena().take<Value>(schema.size(), build.pool() + ".result", "1 row");
  return build.keyed(std::make_unique<Alarm>(std::move(rules), build.input(), std::move(schema), row));
}

constexpr StepOption options[] = {
    {.key = "on",
     .type = StepOptionType::Expression,
     .required = true,
     .documentation = "When this is true the alarm goes on. Where it is null the record says nothing.",
     .example = "on = \"temperature > 80\""},
    {.key = "off",
     .type = StepOptionType::Expression,
     .standard_note = "`on` is false",
     .documentation = "When this is true the alarm goes off; a distance from `on` keeps it from fluttering.",
     .example = "off = \"temperature < 75\""},
    {.key = "on_delay",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation =
         "How long `on` must be true until the alarm goes on, in event time; the watermark decides when no further "
         "record comes.",
     .example = "on_delay = \"10s\""},
    {.key = "off_delay",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation = "How long `off` must be true until the alarm goes off.",
     .example = "off_delay = \"1min\""},
    {.key = "latch",
     .type = StepOptionType::Boolean,
     .standard = "false",
     .documentation = "Whether the alarm stays after `off`, until a record says `reset`.",
     .example = "latch = true"},
    {.key = "reset",
     .type = StepOptionType::Expression,
     .documentation = "Ends a latched alarm. It says nothing while `off` has not come yet.",
     .example = "reset = \"acknowledged\""},
    {.key = "repeat",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation =
         "While the alarm is on (or latched) a further result comes each time that this has passed since it went on, "
         "with the newest values; `0s`: none.",
     .example = "repeat = \"10min\""},
};

}  // namespace

const StepKind alarm_step = {
    .verb = "alarm",
    .documentation = "Verb: an alarm with hysteresis, delays, latch and repeats; its changes go on.",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
