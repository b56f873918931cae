// The steps of a pipeline, from specification to operators: compiles expressions against the schema at that point and reports
// what is wrong with them at their place in the file. Start-up only.
#pragma once

#include <memory>
#include <vector>

#include "agent/base/arena.h"
#include "agent/config/load.h"
#include "agent/operators/operator.h"

namespace weir {

/// What the steps of one pipeline need to know about it.
struct StepContext {
  const PipelineSpec& pipeline;
  Diagnostics& diagnostics;
  Arena& arena;
};

/// The operators in order. Stops at the first step whose output cannot be known; what is wrong is in the diagnostics then, and
/// the result is shorter than the specification. `input` must outlive the operators.
std::vector<std::unique_ptr<Operator>> build_steps(const StepContext& context, const Schema& input);

}  // namespace weir
