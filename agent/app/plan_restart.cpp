#include "agent/app/plan_restart.h"

namespace weir {

RestartRule restart_rule(const RestartSpec& spec) {
  RestartRule rule;
  // A configuration with another name is refused, and its pipelines are built only to find what else is wrong.
  if (!restart_kind_named(spec.strategy, rule.kind)) return rule;
  rule.delay_ms = spec.delay;
  rule.initial_delay_ms = spec.initial_delay;
  rule.max_delay_ms = spec.max_delay;
  rule.multiplier = spec.multiplier;
  rule.jitter = spec.jitter;
  rule.reset_threshold_ms = spec.reset_threshold;
  if (rule.kind == RestartKind::FixedDelay) rule.attempts = spec.attempts;
  if (rule.kind == RestartKind::FailureRate) {
    rule.failures = static_cast<uint32_t>(spec.max_failures);
    rule.interval_ms = spec.interval;
  }
  if (rule.kind == RestartKind::ExponentialDelay) {
    rule.attempts = spec.attempts_before_reset == 0 ? restart_attempts_unlimited : spec.attempts_before_reset;
    rule.failures = static_cast<uint32_t>(spec.ceiling);
  }
  return rule;
}

}  // namespace weir
