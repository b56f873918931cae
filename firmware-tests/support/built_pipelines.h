// Every pipeline of a configuration, built as the agent builds them, for tests of what building finds.
#pragma once

#include <memory>
#include <vector>

#include "agent/app/planner.h"

namespace weir {

/// Empty if there is any error, which is then in the diagnostics.
inline std::vector<std::unique_ptr<Pipeline>> build_pipelines(LoadedConfig& config, Arena& arena) {
  std::vector<std::unique_ptr<Pipeline>> pipelines;
  check_pipelines(config);
  for (const PipelineSpec& spec : config.specification.pipeline)
    if (std::unique_ptr<Pipeline> pipeline = build_pipeline(config, spec, arena, nullptr); pipeline != nullptr)
      pipelines.push_back(std::move(pipeline));
  if (config.diagnostics.errors() > 0) pipelines.clear();
  return pipelines;
}

}  // namespace weir
