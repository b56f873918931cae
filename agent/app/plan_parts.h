// What several kinds of step need while they are planned: finding fields by name, and reporting what is wrong at its place in
// the file. Start-up only.
#pragma once

#include "agent/app/plan_steps.h"
#include "agent/expression/expression.h"

namespace weir {

inline constexpr const char* event_time_help = "add event_time = { field = \"...\", max_delay = \"2s\" } to [pipeline.source]";

/// Reports the errors of an expression at their places in `text`.
void report(Diagnostics& diagnostics, const Text& text, const std::vector<ExpressionError>& errors);

std::vector<std::string> field_names(const Schema& schema);

/// The positions of the step's key fields; false, with the reasons in the diagnostics, if there is no such field.
bool find_keys(const StepContext& context, const StepSpec& step, const Schema& input, std::vector<uint32_t>& keys);

/// False, with the reason in the diagnostics, for an id under which a part of every pipeline keeps its state.
bool id_is_free(const StepContext& context, const StepSpec& step);

}  // namespace weir
