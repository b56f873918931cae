#include "agent/app/plan_window.h"

#include <algorithm>

#include "agent/app/plan_own_window.h"
#include "agent/app/plan_parts.h"
#include "agent/operators/window_aggregate.h"

namespace weir {
namespace {

bool build_aggregations(const StepContext& context, const StepSpec& step, const std::string& pool, const Schema& input,
                        AggregateSet& aggregations) {
  bool good = true;
  for (const NamedExpression& named : step.aggregate) {
    AggregateCall call;
    Aggregation aggregation;
    std::vector<ExpressionError> errors;
    bool made = compile_aggregate_call(named.expression.value, input, call, errors) &&
                make_aggregation(named.name, named.expression.value, std::move(call), aggregation, errors);
    report(context.diagnostics, named.expression, errors);
    std::vector<ExpressionError> filter_errors;
    if (named.filter.at.line != 0) made &= add_filter(named.filter.value, input, aggregation, filter_errors);
    report(context.diagnostics, named.filter, filter_errors);
    good &= made;
    aggregation.argument.bind_scratch(context.arena, pool);
    aggregation.filter.bind_scratch(context.arena, pool);
    if (made) aggregations.push_back(std::move(aggregation));
  }
  return good;
}

bool find_parts(const StepContext& context, const StepSpec& step, const std::string& id, const Schema& input,
                WindowParts& parts) {
  const bool has_event_time = context.has_event_time || step.window.time == "processing" || step.window.count > 0;
  if (!has_event_time)
    context.diagnostics.error(step.at, 1, "a window needs event time, and the source states none", event_time_help);
  parts.id = id;
  parts.pool = context.pipeline.name + "." + id;
  const bool id_free = id_is_free(context, step);
  const bool keys_found = find_keys(context, step, input, parts.key_fields);
  const bool aggregates_made = build_aggregations(context, step, parts.pool, input, parts.aggregates);
  return has_event_time && id_free && keys_found && aggregates_made && parse_evict(step.evict, parts.evict);
}

bool is_aligned(const WindowOptions& window) { return window.tumbling > 0 || window.hopping > 0 || window.cumulate > 0; }

WindowLengths lengths_of(const WindowOptions& window) {
  if (window.hopping > 0) return {window.hopping, window.offset_ms, window.every, WindowGrid::Kind::Hopping};
  if (window.cumulate > 0) return {window.cumulate, window.offset_ms, window.every, WindowGrid::Kind::Cumulate};
  return {window.tumbling, window.offset_ms};
}

bool load_zone(const StepContext& context, const WindowOptions& window, std::optional<TimeZone>& zone) {
  if (window.time_zone.value.empty()) return true;
  Result<TimeZone> loaded = TimeZone::load(window.time_zone.value);
  if (loaded.ok()) {
    zone = std::move(loaded.value());
    return true;
  }
  context.diagnostics.error(window.time_zone.at, window.time_zone.value.size(), loaded.status().text(),
                            "for example: time_zone = \"Europe/Vienna\"");
  return false;
}

std::unique_ptr<Operator> build_aligned(const StepContext& context, const StepSpec& step, WindowParts parts,
                                        const Schema& input) {
  WindowSpec spec;
  spec.id = std::move(parts.id);
  spec.id_previous = step.id_previous;
  spec.key_fields = std::move(parts.key_fields);
  spec.aggregates = std::move(parts.aggregates);
  spec.evict = parts.evict;
  spec.windows = lengths_of(step.window);
  if (!load_zone(context, step.window, spec.zone)) return nullptr;
  spec.max_delay_ms = context.max_delay_ms;
  spec.allowed_lateness_ms = step.window.allowed_lateness;
  spec.emit_every_ms = step.window.emit_every;
  spec.empty_ms = step.window.empty;
  spec.processing_time = step.window.time == "processing";
  if (!parse_late(step.window.late, spec.late)) return nullptr;
  if (std::ranges::any_of(spec.key_fields, [&](uint32_t field) { return input[field].clock; })) spec.clocks = context.clocks;
  spec.max_keys = step.max_keys;
  if (!report(context, step, WindowAggregate::check(spec, input))) return nullptr;
  return std::make_unique<WindowAggregate>(std::move(spec), input, context.arena, parts.pool);
}

Location place_of(const WindowFault& fault, const StepSpec& step) {
  switch (fault.part) {
    case WindowFault::Part::KeyBy:
      return fault.index < step.key_by.size() ? step.key_by[fault.index].at : step.at;
    case WindowFault::Part::Aggregate:
      return fault.index < step.aggregate.size() ? step.aggregate[fault.index].name_at : step.at;
    default:
      return step.at;
  }
}

}  // namespace

bool report(const StepContext& context, const StepSpec& step, const std::vector<WindowFault>& faults) {
  for (const WindowFault& fault : faults) context.diagnostics.error(place_of(fault, step), 1, fault.message);
  return faults.empty();
}

std::unique_ptr<Operator> build_window(const StepContext& context, const StepSpec& step, const std::string& id,
                                       const Schema& input) {
  WindowParts parts;
  if (!find_parts(context, step, id, input, parts)) return nullptr;
  if (is_aligned(step.window)) return build_aligned(context, step, std::move(parts), input);
  return build_own_window(context, step, std::move(parts), input);
}

}  // namespace weir
