#include "agent/app/checkpoint_plan.h"

#include <algorithm>
#include <cmath>

namespace weir {
namespace {

constexpr double day_s = 86'400;
constexpr double year_s = 365.25 * day_s;

// Measured with `./dev bench checkpoint`: what a checkpoint writes whatever changed, per changed byte, and per byte of state
// once more than half of it has changed and all of it is written.
constexpr double bytes_fixed = 32 * 1024;
constexpr double bytes_per_changed_byte = 4;
constexpr double bytes_per_state_byte = 2.1;

/// Of keys that messages hit at random: how much of the state has changed after so many.
double changed_bytes(const CheckpointPlanInput& input, double interval_s) {
  if (input.state_bytes <= 0 || input.entry_bytes <= 0) return 0;
  const double keys = input.state_bytes / input.entry_bytes;
  return input.state_bytes * -std::expm1(-input.messages_per_s * interval_s / keys);
}

/// The least interval at which the flash lives as long as it has to; what is written per second falls with the interval.
double least_for_flash(const CheckpointPlanInput& input) {
  const double bytes_per_s =
      input.flash_bytes * input.erase_cycles / input.device_write_amplification / (input.life_years * year_s);
  double low = 1e-3, high = 365 * day_s;
  if (bytes_written(input, high) / high > bytes_per_s) return high;
  for (int step = 0; step < 100; ++step) {
    const double middle = std::sqrt(low * high);
    (bytes_written(input, middle) / middle > bytes_per_s ? low : high) = middle;
  }
  return high;
}

}  // namespace

double bytes_written(const CheckpointPlanInput& input, double interval_s) {
  const double changed = changed_bytes(input, interval_s);
  const double all = bytes_per_state_byte * input.state_bytes;
  return bytes_fixed +
         (changed * 2 > input.state_bytes ? std::min(all, bytes_per_changed_byte * changed) : bytes_per_changed_byte * changed);
}

CheckpointForecast forecast(const CheckpointPlanInput& input, double interval_s) {
  CheckpointForecast made;
  // The window cuts an interval short that would let it fill.
  made.interval_s = std::max(input.min_pause_s, std::min(interval_s, input.window / input.messages_per_s));
  made.bytes_per_checkpoint = bytes_written(input, made.interval_s);
  made.bytes_per_day = made.bytes_per_checkpoint * day_s / made.interval_s;
  if (input.flash_bytes > 0)
    made.flash_years =
        input.flash_bytes * input.erase_cycles / input.device_write_amplification / made.bytes_per_day * day_s / year_s;
  // What was worked out since the last checkpoint, and what came meanwhile, is taken in again while more comes.
  const double behind = input.messages_per_s * (made.interval_s + input.fixed_recovery_s);
  const double gain = input.replayed_per_s - input.messages_per_s;
  made.recovery_s = gain > 0 ? input.fixed_recovery_s + behind / gain : INFINITY;
  made.fault_tolerance_s = made.interval_s + made.recovery_s;
  return made;
}

CheckpointPlan plan_checkpoints(const CheckpointPlanInput& input) {
  CheckpointPlan plan;
  auto least = [&](double seconds, const char* why) { plan.bounds.push_back({seconds, true, why}); };
  auto most = [&](double seconds, const char* why) { plan.bounds.push_back({seconds, false, why}); };
  least(input.min_pause_s, "min_pause");
  least(input.commit_s / input.overhead, "the time that checkpoints may take");
  if (input.flash_bytes > 0) least(least_for_flash(input), "the life of the flash");
  most(input.window / input.messages_per_s, input.window_why);
  if (input.target_recovery_s > 0) {
    // T_total = F + r (T + F) / (mu - r) <= R, solved for T.
    const double gain = input.replayed_per_s - input.messages_per_s;
    most((input.target_recovery_s - input.fixed_recovery_s) * gain / input.messages_per_s - input.fixed_recovery_s,
         "the target of recovery");
  }
  // J. W. Young, 1974: the interval that loses least, for failures that come at random.
  plan.young_s = std::sqrt(2 * input.commit_s * input.time_between_failures_s);
  const auto by_seconds = [](const CheckpointBound& one, const CheckpointBound& other) { return one.seconds < other.seconds; };
  CheckpointBound low{0, true, ""}, high{INFINITY, false, ""};
  for (const CheckpointBound& bound : plan.bounds) {
    if (bound.least)
      low = std::max(low, bound, by_seconds);
    else
      high = std::min(high, bound, by_seconds);
  }
  plan.configured = forecast(input, input.configured_s);
  if (low.seconds > high.seconds) {
    plan.binding = low.why + " asks for more than " + high.why + " allows";
    return plan;
  }
  plan.recommended_s = std::min(high.seconds, std::max(low.seconds, plan.young_s));
  plan.binding = plan.recommended_s == high.seconds  ? high.why
                 : plan.recommended_s == low.seconds ? low.why
                                                     : "Young's optimum: less would only cost";
  plan.recommended = forecast(input, plan.recommended_s);
  return plan;
}

}  // namespace weir
