// The triggers of a pipeline's checkpoints that are more than a number: `when`. Start-up only.
#pragma once

#include <vector>

#include "agent/config/load.h"
#include "agent/runtime/checkpoint_coordinator.h"

namespace weir {

CheckpointPolicy checkpoint_policy(const PipelineSpec& spec);

/// What is wrong with them is added to `diagnostics`. Their memory, if any, is taken from `arena`.
std::vector<NamedTrigger> make_triggers(const PipelineSpec& spec, Diagnostics& diagnostics, Arena& arena);

}  // namespace weir
