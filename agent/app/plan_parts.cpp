#include "agent/app/plan_parts.h"

#include <algorithm>

#include "agent/operators/aggregate.h"

namespace weir {

void report(Diagnostics& diagnostics, const Text& text, const std::vector<ExpressionError>& errors) {
  for (const ExpressionError& error : errors)
    diagnostics.error(inside(text, error.offset), error.length, error.message, expression_help(text.value, error));
}

std::vector<std::string> field_names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Field& field : schema.fields())
    if (!field.hidden) names.push_back(field.name);
  return names;
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

bool id_is_free(const StepContext& context, const StepSpec& step) {
  constexpr const char* taken[] = {"pipeline", "source", "sink", "clocks"};
  if (std::ranges::find(taken, step.id) == std::end(taken)) return true;
  context.diagnostics.error(step.id_at, step.id.size(), quoted(step.id) + " names a part of every pipeline",
                            "choose another id");
  return false;
}

}  // namespace weir
