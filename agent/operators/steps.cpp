#include "agent/operators/steps.h"

namespace weir {

void register_built_in_steps() {
  // clang-format off
  constexpr const StepKind* kinds[] = {
      &absence_step,
      &alarm_step,
      &deadband_step,
      &debounce_step,
      &dedup_step,
      &derive_step,
      &distinct_step,
      &edge_step,
      &fill_step,
      &gather_step,
      &hold_step,
      &join_step,
      &lookup_step,
      &pattern_step,
      &range_step,
      &regress_step,
      &resample_step,
      &sample_step,
      &smooth_step,
      &sort_step,
      &throttle_step,
      &top_step,
      &unnest_step,
      &zscore_step,
  };
  // clang-format on
  for (const StepKind* kind : kinds) register_step_kind(*kind);
}

}  // namespace weir
