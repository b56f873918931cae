// absence: tells when a key has not been heard for `after`, and when it is heard again. No input is needed for it: processing
// time passes by itself, or the watermark passes because of other keys. The records themselves go no further.
//
// By processing time the silence counts from the arrival of the last record, whatever its event time, and the results' event
// time is the processing time. By event time it counts from the last record's event time. After a restart it goes on from what
// the checkpoint says: the time that the process was not there counts as well.
//
// With `repeat` a key that stays silent is told again at multiples of that time; if several have passed at one look, one result
// is made, for the last of them, and the end of input makes none.
//
// State of a key: i64 when it was heard last, i64 time of the last result, u8 whether it is silent.
#include <algorithm>

#include "agent/operators/elapsed.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t heard_at = 0;
constexpr uint32_t told_at = 8;
constexpr uint32_t silent_at = 16;
constexpr uint32_t bytes_of_state = 17;

/// Of the results of one key at one time.
enum Ordinal : uint64_t { goes_silent, returns, stays_silent };

struct AbsenceRules {
  int64_t after_ms = 1;
  int64_t repeat_ms = 0;  // 0: none
  bool returns = true;
  bool event_time = false;
};

class Absence final : public KeyedFunction {
 public:
  /// `row` has room for a record of `schema`: the key fields, last_seen, silent, silent_ms.
  Absence(AbsenceRules rules, Schema schema, std::span<Value> row) : rules_(rules), schema_(std::move(schema)), row_(row) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return bytes_of_state; }
  void describe(StateLayout& layout) const override {
    layout.kind = "absence";
    layout.add_shape("time", rules_.event_time ? "event" : "processing");
    layout.fields.add_time("heard");
    layout.fields.add_time("told");
    layout.fields.add_flag("silent");
  }
  bool valid(const uint8_t* state) const override { return state[silent_at] <= 1; }
  bool needs_order() const override { return rules_.event_time; }
  bool uses_event_timers() const override { return rules_.event_time; }
  bool uses_processing_timers() const override { return !rules_.event_time; }
  uint32_t fan_out() const override { return rules_.returns ? 2 : 1; }

  Outcome process(const Record& record, KeyContext& context) override {
    const int64_t now_ms = rules_.event_time ? record.event_time_ms : context.processing_ms();
    if (context.is_new()) {
      store(context.state().data() + told_at, INT64_MIN);
    } else {
      // The watermark may be ahead of this key: what it has decided stands.
      if (now_ms < load<int64_t>(context.peek() + told_at)) return Outcome::Late;
      notice_silence(now_ms, context);
      if (context.peek()[silent_at] != 0) end_silence(now_ms, context);
    }
    store(context.state().data() + heard_at, now_ms);
    set_timer(context, later_ms(now_ms, rules_.after_ms));
    return Outcome::Applied;
  }

  void on_event_timer(int64_t time_ms, KeyContext& context) override {
    on_timer(std::max(time_ms, context.watermark_ms()), context);
  }
  void on_processing_timer(int64_t time_ms, KeyContext& context) override {
    on_timer(std::max(time_ms, context.processing_ms()), context);
  }

 private:
  int64_t silence_begins(const uint8_t* state) const { return later_ms(load<int64_t>(state + heard_at), rules_.after_ms); }

  void set_timer(KeyContext& context, int64_t time_ms) const {
    if (rules_.event_time)
      context.set_event_timer(time_ms);
    else
      context.set_processing_timer(time_ms);
  }

  void on_timer(int64_t now_ms, KeyContext& context) {
    const int64_t begins_ms = silence_begins(context.peek());
    if (context.peek()[silent_at] == 0) {
      notice_silence(now_ms, context);
      if (rules_.repeat_ms > 0) set_timer(context, later_ms(begins_ms, rules_.repeat_ms));
    } else if (now_ms != INT64_MAX && rules_.repeat_ms > 0) {  // without it the timer is of an earlier configuration
      const int64_t at_ms = begins_ms + elapsed_ms(begins_ms, now_ms) / rules_.repeat_ms * rules_.repeat_ms;
      tell(at_ms, stays_silent, context);
      // A span beyond 64 bits is cut, and the next multiple must not lie behind all the same.
      set_timer(context, std::max(later_ms(at_ms, rules_.repeat_ms), later_ms(now_ms, 1)));
    }
  }

  void notice_silence(int64_t now_ms, KeyContext& context) {
    const int64_t begins_ms = silence_begins(context.peek());
    if (context.peek()[silent_at] != 0 || begins_ms > now_ms) return;
    context.state()[silent_at] = 1;
    tell(begins_ms, goes_silent, context);
  }

  void end_silence(int64_t now_ms, KeyContext& context) {
    context.state()[silent_at] = 0;
    if (rules_.returns) tell(now_ms, returns, context);
  }

  void tell(int64_t time_ms, Ordinal ordinal, KeyContext& context) {
    uint8_t* state = context.state().data();
    const auto heard_ms = load<int64_t>(state + heard_at);
    store(state + told_at, time_ms);
    const std::span<const Value> key = context.key();
    std::ranges::copy(key, row_.begin());
    Value* added = row_.data() + key.size();
    added[0] = Value::of_time(heard_ms);
    added[1] = Value::of_bool(state[silent_at] != 0);
    added[2] = Value::of_int(elapsed_ms(heard_ms, time_ms));
    context.emit(row_, time_ms, ordinal);
  }

  AbsenceRules rules_;
  Schema schema_;
  std::span<Value> row_;
};

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  AbsenceRules rules;
  rules.after_ms = options.integer("after");
  rules.repeat_ms = options.integer("repeat");
  rules.returns = options.boolean("returns");
  rules.event_time = options.text("time").value == "event";
  Schema schema = build.key_schema();
  build.add_field(schema, {"last_seen", Type::Time}, "after");
  build.add_field(schema, {"silent", Type::Bool}, "after");
  build.add_field(schema, {"silent_ms", Type::Int}, "after");
  if (!build.good()) return nullptr;
  const std::span<Value> row = build.arena().take<Value>(schema.size(), build.pool() + ".result", "1 row");
  return build.keyed(std::make_unique<Absence>(rules, std::move(schema), row));
}

constexpr const char* times[] = {"processing", "event"};

constexpr StepOption options[] = {
    {.key = "after",
     .type = StepOptionType::Duration,
     .required = true,
     .minimum = "1ms",
     .documentation =
         "How long nothing must have come from a key until it counts as silent. A key is known from its first record "
         "on.",
     .example = "after = \"5min\""},
    {.key = "time",
     .type = StepOptionType::Choice,
     .standard = "processing",
     .choices = times,
     .documentation = "`processing`: the gateway's own time since the last record arrived. `event`: event time, which the "
                      "watermark must have passed; it moves on only while something comes from other keys.",
     .example = "time = \"event\""},
    {.key = "returns",
     .type = StepOptionType::Boolean,
     .standard = "true",
     .documentation = "Whether a result with `silent` false comes when a silent key is heard again.",
     .example = "returns = false"},
    {.key = "repeat",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .documentation = "While a key stays silent it is told again each time that this has passed; `0s`: never.",
     .example = "repeat = \"1h\""},
};

}  // namespace

const StepKind absence_step = {
    .verb = "absence",
    .documentation = "Verb: tells when a key has gone silent, and when it is heard again.",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
