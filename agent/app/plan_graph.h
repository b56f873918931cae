// The graph of a pipeline, from specification to connected steps: which output each step reads, and what arrives at the sink.
// What is wrong is reported at its place in the file. Start-up only.
#pragma once

#include "agent/app/plan_steps.h"
#include "agent/runtime/step_graph.h"

namespace weir {

struct PlannedGraph {
  GraphParts parts;
  const Schema* result = nullptr;  // what arrives at the sink; nullptr if that cannot be known
};

/// `result` is nullptr, with the reasons in the diagnostics, if the graph cannot be.
PlannedGraph build_graph(const PipelineSpec& spec, Diagnostics& diagnostics, Arena& arena);

}  // namespace weir
