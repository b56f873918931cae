// The steps that weir brings along, each declared by the file that has its operator. A new one is a file, a row here and in
// steps.cpp, and its examples in docs/steps.md, without which the tests fail.
#pragma once

#include "agent/model/step_kind.h"

namespace weir {

extern const StepKind absence_step;
extern const StepKind alarm_step;
extern const StepKind deadband_step;
extern const StepKind debounce_step;
extern const StepKind dedup_step;
extern const StepKind derive_step;
extern const StepKind distinct_step;
extern const StepKind edge_step;
extern const StepKind fill_step;
extern const StepKind gather_step;
extern const StepKind hold_step;
extern const StepKind join_step;
extern const StepKind lookup_step;
extern const StepKind pattern_step;
extern const StepKind range_step;
extern const StepKind regress_step;
extern const StepKind resample_step;
extern const StepKind sample_step;
extern const StepKind smooth_step;
extern const StepKind sort_step;
extern const StepKind throttle_step;
extern const StepKind top_step;
extern const StepKind unnest_step;
extern const StepKind zscore_step;

/// Makes them known; the first thing that a program does.
void register_built_in_steps();

}  // namespace weir
