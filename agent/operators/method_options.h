// What steps with a `method` say about options that another method would need. Start-up only.
#pragma once

#include "agent/operators/step_build.h"

namespace weir {

/// Tells `build` if `key` is written although it does not `belong` to the method.
void refuse_unless(StepBuild& build, std::string_view key, bool belongs);
/// Tells `build` if `key`, which the method needs, is not written. `example` is as it stands in the file.
void require_option(StepBuild& build, std::string_view key, const char* example);

/// Whether a double names a number without fraction exactly: up to 2^53.
bool is_whole_number(double number);

}  // namespace weir
