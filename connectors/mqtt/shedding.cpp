#include "connectors/mqtt/shedding.h"

namespace weir {

void Shedding::on_behind(int64_t boot_ms) {
  if (enabled() && behind_since_ms_ < 0) behind_since_ms_ = boot_ms;
}

void Shedding::on_drained(bool has_room) {
  if (has_room) behind_since_ms_ = -1;
}

bool Shedding::on_probation(int64_t boot_ms) const { return shed_at_ms_ >= 0 && boot_ms - shed_at_ms_ < policy_.after_ms; }

bool Shedding::active(int64_t boot_ms) const {
  if (behind_since_ms_ < 0) return false;
  return boot_ms - behind_since_ms_ >= (on_probation(behind_since_ms_) ? probation_ms : policy_.after_ms);
}

bool Shedding::takes(bool has_room, int64_t boot_ms) {
  if (!active(boot_ms)) return true;
  bool taken = false;
  if (has_room && policy_.kind == ShedPolicy::Kind::Newest) taken = true;
  if (has_room && policy_.kind == ShedPolicy::Kind::Sample) taken = in_sample_++ % policy_.one_of == 0;
  if (taken) return true;
  tell_ = tell_ || shed_at_ms_ < 0;
  shed_at_ms_ = boot_ms;
  ++count_;
  return false;
}

bool Shedding::begun() {
  const bool now = tell_;
  tell_ = false;
  return now;
}

bool Shedding::ended(int64_t boot_ms) {
  if (shed_at_ms_ < 0 || behind() || on_probation(boot_ms)) return false;
  shed_at_ms_ = -1;
  return true;
}

}  // namespace weir
