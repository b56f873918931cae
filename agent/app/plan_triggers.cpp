#include "agent/app/plan_triggers.h"

#include <algorithm>
#include <array>

#include "agent/app/plan_parts.h"
#include "agent/model/trigger_kind.h"

namespace weir {
namespace {

/// The fields of `when`, in the order of the schema.
struct ContextField {
  const char* name;
  int64_t (*value)(const CheckpointContext& context);
};

int64_t whole(uint64_t number) { return static_cast<int64_t>(std::min<uint64_t>(number, INT64_MAX)); }

constexpr std::array<ContextField, 11> context_fields{{
    {"since_ms", [](const CheckpointContext& context) { return context.since_ms; }},
    {"since_attempt_ms", [](const CheckpointContext& context) { return context.since_attempt_ms; }},
    {"last_duration_ms", [](const CheckpointContext& context) { return context.last_duration_ms; }},
    {"failures", [](const CheckpointContext& context) { return whole(context.failures); }},
    {"records", [](const CheckpointContext& context) { return whole(context.records); }},
    {"bytes", [](const CheckpointContext& context) { return whole(context.bytes); }},
    {"unacked", [](const CheckpointContext& context) { return whole(context.unacked); }},
    {"dirty_keys", [](const CheckpointContext& context) { return whole(context.dirty_keys); }},
    {"dirty_bytes", [](const CheckpointContext& context) { return whole(context.dirty_bytes); }},
    {"outbox_rows", [](const CheckpointContext& context) { return whole(context.outbox_rows); }},
    {"event_time_ms", [](const CheckpointContext& context) { return context.event_time_ms; }},
}};

class WhenTrigger final : public CheckpointTrigger {
 public:
  explicit WhenTrigger(Program program) : program_(std::move(program)) {}
  Ask evaluate(const CheckpointContext& context) override {
    std::array<Value, context_fields.size()> values;
    std::ranges::transform(context_fields, values.begin(),
                           [&](const ContextField& field) { return Value::of_int(field.value(context)); });
    const Value wanted = program_.evaluate(values);
    return !wanted.is_null() && wanted.as_bool() ? Ask::Soft : Ask::No;
  }

 private:
  Program program_;
};

Schema context_schema() {
  Schema schema;
  for (const ContextField& each : context_fields) {
    Field field;
    field.name = each.name;
    field.type = Type::Int;
    schema.add(std::move(field));
  }
  return schema;
}

/// One that an engineer's program has registered.
void add_registered(const CheckpointSpec& spec, Diagnostics& diagnostics, std::vector<NamedTrigger>& triggers) {
  const TriggerKind* kind = find_trigger_kind(spec.trigger.value);
  if (kind == nullptr) return;  // none is named, or that was reported when the file was read
  std::string problem;
  std::unique_ptr<CheckpointTrigger> trigger = kind->make(spec.options, problem);
  if (trigger == nullptr) {
    diagnostics.error(spec.trigger.at, spec.trigger.value.size(), problem);
    return;
  }
  triggers.push_back({CheckpointReason::Trigger, std::move(trigger)});
}

}  // namespace

CheckpointPolicy checkpoint_policy(const PipelineSpec& spec) {
  const CheckpointSpec& wanted = spec.checkpoint;
  CheckpointPolicy policy;
  policy.interval_ms = wanted.interval;
  policy.min_pause_ms = wanted.min_pause;
  policy.skip_clean = wanted.skip_clean;
  policy.all = wanted.mode == "all";
  policy.records = wanted.records;
  policy.bytes = wanted.bytes;
  policy.dirty_keys = wanted.dirty_keys;
  policy.dirty_bytes = wanted.dirty_bytes;
  policy.outbox_rows = wanted.outbox_rows;
  policy.event_time_ms = wanted.event_time;
  policy.unacked = wanted.unacked > 0 ? wanted.unacked : std::max<uint64_t>(1, spec.first_source().max_unacked / 2);
  // What the journal holds is acknowledged; no window waits for a checkpoint.
  if (spec.has_journal() && wanted.unacked == 0) policy.unacked = UINT64_MAX;
  policy.timeout_ms = wanted.timeout;
  policy.tolerable_failures = wanted.tolerable_failures;
  policy.max_age_ms = wanted.max_age;
  if (wanted.on_max_age == "hold") policy.on_max_age = CheckpointPolicy::OnMaxAge::Hold;
  if (wanted.on_max_age == "restart") policy.on_max_age = CheckpointPolicy::OnMaxAge::Restart;
  return policy;
}

std::vector<NamedTrigger> make_triggers(const PipelineSpec& spec, Diagnostics& diagnostics, Arena& arena) {
  std::vector<NamedTrigger> triggers;
  add_registered(spec.checkpoint, diagnostics, triggers);
  if (spec.checkpoint.when.at.line == 0) return triggers;
  Program program;
  std::vector<ExpressionError> errors;
  if (!compile_expression(spec.checkpoint.when.value, context_schema(), Type::Bool, program, errors)) {
    report(diagnostics, spec.checkpoint.when, errors);
    return triggers;
  }
  program.bind_scratch(arena, spec.name + ".checkpoint");
  triggers.push_back({CheckpointReason::When, std::make_unique<WhenTrigger>(std::move(program))});
  return triggers;
}

}  // namespace weir
