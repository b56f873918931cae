#include "agent/app/plan_steps.h"

#include "agent/app/lookup_files.h"

#include <algorithm>

#include "agent/app/plan_parts.h"
#include "agent/app/plan_window.h"
#include "agent/operators/filter.h"
#include "agent/operators/map.h"
#include "agent/operators/project.h"
#include "agent/operators/route.h"
#include "agent/operators/step_build.h"

namespace weir {
namespace {

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

/// Takes what a registered step finds wrong to the diagnostics.
class ErrorsToDiagnostics final : public StepErrors {
 public:
  explicit ErrorsToDiagnostics(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}
  void error(const Text& text, size_t offset, size_t length, std::string_view message, std::string_view help) override {
    diagnostics_.error(inside(text, offset), length, message, help);
  }
  void error(Location at, size_t length, std::string_view message, std::string_view help) override {
    diagnostics_.error(at, length, message, help);
  }

 private:
  Diagnostics& diagnostics_;
};

std::unique_ptr<Operator> build_registered(const StepContext& context, const StepSpec& step, const std::string& id,
                                           const Schema& input, const Schema* second) {
  // What is missing, or of a wrong type, was reported when the file was read.
  if (step.kind == nullptr) return nullptr;
  for (const StepOption& option : step.kind->options)
    if (option.required && !step.options.given(option.key)) return nullptr;
  KeyedSpec keyed;
  keyed.id = id;
  keyed.id_previous = step.id_previous;
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
  build.set_lookup_files(lookup_files());
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
