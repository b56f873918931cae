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
  bool has_event_time = false;  // of all sources
  int64_t max_delay_ms = 0;     // the largest of all sources
  uint32_t clocks = 1;          // more than 1: event_time.per is set
};

/// The step's id, or "step-N" where the configuration gives none.
std::string step_name(const StepSpec& step, size_t index);

/// The operator of a step other than a union; nullptr, with the reasons in the diagnostics, if it cannot be. `input`, and
/// `second` if the step has a second input, must outlive it.
std::unique_ptr<Operator> build_step(const StepContext& context, const StepSpec& step, const std::string& id,
                                     const Schema& input, const Schema* second);

}  // namespace weir
