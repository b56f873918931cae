// The part of `weir plan` that is about checkpoints: how often, what they write, what a failure costs. Start-up only.
#pragma once

#include "agent/app/checkpoint_plan.h"
#include "agent/app/configuration.h"

namespace weir {

/// The options that it takes, for parse_command_line.
extern const std::vector<std::string> checkpoint_plan_options;

/// What the options say, or the reason why not in `error`.
CheckpointPlanInput checkpoint_plan_input(const CommandLine& line, std::string& error);

/// For every pipeline of the configuration, to standard output.
void print_checkpoint_plans(const Built& built, const CheckpointPlanInput& said, bool json);

}  // namespace weir
