// The planning of a step that is a window: from its specification to the operator of its kind. Start-up only.
#pragma once

#include "agent/app/plan_steps.h"

namespace weir {

/// As build_step().
std::unique_ptr<Operator> build_window(const StepContext& context, const StepSpec& step, const std::string& id,
                                       const Schema& input);

}  // namespace weir
