// The method "linear" of the fill step: nulls between two values get what the straight line between them says.
#pragma once

#include <memory>

#include "agent/operators/step_build.h"

namespace weir {

/// `field` is a float; max_gap_ms 0: no gap is too long; 1 <= max_held.
std::unique_ptr<KeyedFunction> make_fill_linear(uint32_t field, int64_t max_gap_ms, uint32_t max_held, StepBuild& build);

}  // namespace weir
