#include "agent/app/plan_steps.h"

#include <algorithm>

#include "agent/operators/filter.h"
#include "agent/operators/map.h"
#include "agent/operators/project.h"
#include "agent/operators/route.h"
#include "agent/operators/step_build.h"
#include "agent/operators/window_aggregate.h"

namespace weir {
namespace {

constexpr const char* event_time_help = "add event_time = { field = \"...\", max_delay = \"2s\" } to [pipeline.source]";

void report(Diagnostics& diagnostics, const Text& text, const std::vector<ExpressionError>& errors) {
  for (const ExpressionError& error : errors) {
    std::string help = error.suggestion.empty() ? "" : "did you mean \"" + error.suggestion + "\"?";
    diagnostics.error(inside(text, error.offset), error.length, error.message, help);
  }
}

std::vector<std::string> field_names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields()) names.push_back(field.name);
  return names;
}

std::unique_ptr<Operator> build_filter(const StepContext& context, const StepSpec& step, std::string id, const Schema& input) {
  Program program;
  std::vector<ExpressionError> errors;
  if (compile_expression(step.filter.value, input, Type::Bool, program, errors)) {
    program.bind_scratch(context.arena, context.pipeline.name + "." + id);
    return std::make_unique<Filter>(std::move(id), std::move(program), input);
  }
  report(context.diagnostics, step.filter, errors);
  return nullptr;
}

std::unique_ptr<Operator> build_map(const StepContext& context, const StepSpec& step, std::string id, const Schema& input) {
  std::vector<MapField> fields;
  bool good = true;
  for (const NamedExpression& named : step.map) {
    Program program;
    std::vector<ExpressionError> errors;
    good &= compile_expression(named.expression.value, input, Type::Null, program, errors);
    report(context.diagnostics, named.expression, errors);
    fields.push_back({named.name, std::move(program)});
  }
  if (!good) return nullptr;
  if (MapFault fault = Map::check(fields, input); !fault.message.empty()) {
    context.diagnostics.error(step.map[fault.field].name_at, fields[fault.field].name.size(), fault.message);
    return nullptr;
  }
  std::string pool = context.pipeline.name + "." + id;
  for (MapField& field : fields) field.value.bind_scratch(context.arena, pool);
  return std::make_unique<Map>(std::move(id), std::move(fields), input, context.arena, pool);
}

std::vector<std::string> values_of(const std::vector<Text>& texts) {
  std::vector<std::string> values;
  values.reserve(texts.size());
  for (const Text& text : texts) values.push_back(text.value);
  return values;
}

/// The projection that the step's verb asks for, and where its `index`th name stands.
ProjectFault project_fields(const StepSpec& step, const Schema& input, std::vector<ProjectedField>& fields) {
  if (step.verb == StepVerb::Select) return select_fields(values_of(step.select), input, fields);
  if (step.verb == StepVerb::Drop) return drop_fields(values_of(step.drop), input, fields);
  std::vector<std::pair<std::string, std::string>> names;
  for (const NamedExpression& named : step.rename) names.emplace_back(named.name, named.expression.value);
  return rename_fields(names, input, fields);
}

Location place_of_name(const StepSpec& step, size_t index) {
  if (step.verb == StepVerb::Select) return step.select[index].at;
  if (step.verb == StepVerb::Drop) return step.drop[index].at;
  return step.rename[index].name_at;
}

std::unique_ptr<Operator> build_project(const StepContext& context, const StepSpec& step, const std::string& id,
                                        const Schema& input) {
  std::vector<ProjectedField> fields;
  ProjectFault fault = project_fields(step, input, fields);
  if (fault.message.empty())
    return std::make_unique<Project>(id, std::move(fields), input, context.arena, context.pipeline.name + "." + id);
  std::string help = fault.unknown.empty() ? "" : suggest(fault.unknown, field_names(input), "fields:");
  context.diagnostics.error(place_of_name(step, fault.index), std::max<size_t>(1, fault.unknown.size()), fault.message, help);
  return nullptr;
}

std::unique_ptr<Operator> build_route(const StepContext& context, const StepSpec& step, const std::string& id,
                                      const Schema& input) {
  std::vector<std::string> names;
  std::vector<Program> conditions;
  bool good = true;
  for (const NamedExpression& branch : step.route) {
    Program condition;
    std::vector<ExpressionError> errors;
    good &= compile_expression(branch.expression.value, input, Type::Bool, condition, errors);
    report(context.diagnostics, branch.expression, errors);
    names.push_back(branch.name);
    conditions.push_back(std::move(condition));
  }
  if (!good) return nullptr;
  return std::make_unique<Route>(id, std::move(names), std::move(conditions), input);
}

bool find_keys(const StepContext& context, const StepSpec& step, const Schema& input, std::vector<uint32_t>& keys) {
  bool good = true;
  for (const Text& key : step.key_by) {
    int position = input.find(key.value);
    if (position >= 0) {
      keys.push_back(static_cast<uint32_t>(position));
      continue;
    }
    good = false;
    std::vector<std::string> names = field_names(input);
    context.diagnostics.error(key.at, key.value.size(), "there is no field " + quoted(key.value) + " at this step",
                              suggest(key.value, names, "fields:"));
  }
  return good;
}

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

/// The pipeline's own parts keep their state under these names.
bool id_is_free(const StepContext& context, const StepSpec& step) {
  constexpr const char* taken[] = {"pipeline", "source", "sink", "clocks"};
  if (std::ranges::find(taken, step.id) == std::end(taken)) return true;
  context.diagnostics.error(step.id_at, step.id.size(), quoted(step.id) + " names a part of every pipeline",
                            "choose another id");
  return false;
}

std::unique_ptr<Operator> build_window(const StepContext& context, const StepSpec& step, const std::string& id,
                                       const Schema& input) {
  bool has_event_time = context.has_event_time;
  if (!has_event_time)
    context.diagnostics.error(step.at, 1, "a window needs event time, and the source states none", event_time_help);
  if (step.tumbling <= 0) return nullptr;  // reported when the file was read
  WindowSpec spec;
  bool id_free = id_is_free(context, step);
  bool keys_found = find_keys(context, step, input, spec.key_fields);
  bool aggregates_made = build_aggregations(context, step, context.pipeline.name + "." + id, input, spec.aggregates);
  if (!id_free || !has_event_time || !keys_found || !aggregates_made || !parse_evict(step.evict, spec.evict)) return nullptr;
  spec.id = id;
  spec.windows = {step.tumbling, step.offset};
  spec.max_delay_ms = context.max_delay_ms;
  spec.max_keys = step.max_keys;
  std::vector<WindowFault> faults = WindowAggregate::check(spec, input);
  for (const WindowFault& fault : faults) context.diagnostics.error(place_of(fault, step), 1, fault.message);
  if (!faults.empty()) return nullptr;
  return std::make_unique<WindowAggregate>(std::move(spec), input, context.arena, context.pipeline.name + "." + id);
}

/// Takes what a registered step finds wrong to the diagnostics.
class ErrorsToDiagnostics final : public StepErrors {
 public:
  explicit ErrorsToDiagnostics(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}
  void error(const Text& text, size_t offset, size_t length, std::string message, std::string help) override {
    diagnostics_.error(inside(text, offset), length, std::move(message), std::move(help));
  }
  void error(Location at, size_t length, std::string message, std::string help) override {
    diagnostics_.error(at, length, std::move(message), std::move(help));
  }

 private:
  Diagnostics& diagnostics_;
};

std::unique_ptr<Operator> build_registered(const StepContext& context, const StepSpec& step, const std::string& id,
                                           const Schema& input, const Schema* second) {
  if (step.kind == nullptr) return nullptr;  // reported when the file was read
  KeyedSpec keyed;
  keyed.id = id;
  keyed.max_keys = step.key_by.empty() ? 1 : static_cast<uint32_t>(step.max_keys);
  bool good = id_is_free(context, step) && find_keys(context, step, input, keyed.key_fields);
  if (step.kind->needs_event_time && !context.has_event_time) {
    good = false;
    context.diagnostics.error(step.at, 1, quoted(step.kind->verb) + " needs event time, and the source states none",
                              event_time_help);
  }
  if (!parse_evict(step.evict, keyed.evict) || !good) return nullptr;
  ErrorsToDiagnostics errors(context.diagnostics);
  const size_t errors_before = context.diagnostics.errors();
  if (std::ranges::any_of(keyed.key_fields, [&](uint32_t field) { return input[field].clock; })) keyed.clocks = context.clocks;
  StepBuild build(step.options, input, std::move(keyed), context.arena, context.pipeline.name + "." + id, step.at, errors);
  build.set_second_input(second);
  std::unique_ptr<Operator> made = step.kind->make(build);
  return build.good() && context.diagnostics.errors() == errors_before ? std::move(made) : nullptr;
}

}  // namespace

std::string step_name(const StepSpec& step, size_t index) {
  return step.id.empty() ? "step-" + std::to_string(index + 1) : step.id;
}

std::unique_ptr<Operator> build_step(const StepContext& context, const StepSpec& step, const std::string& id,
                                     const Schema& input, const Schema* second) {
  switch (step.verb) {
    case StepVerb::Filter:
      return build_filter(context, step, id, input);
    case StepVerb::Map:
      return build_map(context, step, id, input);
    case StepVerb::Select:
    case StepVerb::Drop:
    case StepVerb::Rename:
      return build_project(context, step, id, input);
    case StepVerb::Route:
      return build_route(context, step, id, input);
    case StepVerb::Window:
      return build_window(context, step, id, input);
    case StepVerb::Registered:
      return build_registered(context, step, id, input, second);
    case StepVerb::Union:
    case StepVerb::None:
      break;  // a union is the graph's; no verb was reported when the file was read
  }
  return nullptr;
}

}  // namespace weir
