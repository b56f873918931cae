#include "agent/operators/steps.h"

namespace weir {

void register_built_in_steps() {
  // clang-format off
  constexpr const StepKind* kinds[] = {
      &deadband_step,
      &derive_step,
      &distinct_step,
      &fill_step,
      &gather_step,
      &pattern_step,
      &range_step,
      &regress_step,
      &resample_step,
      &smooth_step,
      &top_step,
      &unnest_step,
      &zscore_step,
      &deadband_step, &derive_step,   &distinct_step, &fill_step, &gather_step, &range_step,
      &regress_step,  &resample_step, &smooth_step,   &top_step,  &unnest_step, &zscore_step,
      &deadband_step, &derive_step, &distinct_step, &gather_step, &range_step,
      &regress_step,  &smooth_step, &top_step,      &unnest_step, &zscore_step,
      &absence_step,
      &alarm_step,
      &deadband_step,
      &debounce_step,
      &dedup_step,
      &distinct_step,
      &edge_step,
      &gather_step,
      &hold_step,
      &range_step,
      &sample_step,
      &throttle_step,
      &top_step,
      &unnest_step,
  };
  // clang-format on
  for (const StepKind* kind : kinds) register_step_kind(*kind);
}

}  // namespace weir
