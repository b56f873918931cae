// The planner: from a specification to pipelines that can run. What is wrong beyond what the option table can tell (fields,
// expressions, templates, sizes, secrets) is added to the configuration's diagnostics. Start-up only.
#pragma once

#include <memory>

#include "agent/base/arena.h"
#include "agent/config/load.h"
#include "agent/runtime/pipeline.h"
#include "connectors/mqtt/control_topic.h"

namespace weir {

/// nullptr if the configuration asks for none, or it cannot be.
std::unique_ptr<ControlTopic> build_control_topic(LoadedConfig& config, Arena& arena);

/// Builds one; nullptr if it cannot be, which is then in the diagnostics. Also later than at the start, from the same
/// configuration, to take the place of one that has failed. `journal_executor`: the thread that waits for the disk on behalf of
/// journals; nullptr where nothing will run.
std::unique_ptr<Pipeline> build_pipeline(LoadedConfig& config, const PipelineSpec& spec, Arena& arena,
                                         BackgroundExecutor* journal_executor);
/// What must hold among the pipelines.
void check_pipelines(LoadedConfig& config);

}  // namespace weir
