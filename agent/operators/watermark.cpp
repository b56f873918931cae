#include "agent/operators/watermark.h"

#include <algorithm>

namespace weir {

void WatermarkTracker::on_activity(int64_t boot_ms) {
  active_boot_ms_ = boot_ms;
  active_ = true;
}

void WatermarkTracker::on_record(int64_t event_time_ms) {
  WEIR_ASSERT(usable(event_time_ms));
  max_event_time_ms_ = std::max(max_event_time_ms_, event_time_ms);
}

int64_t WatermarkTracker::watermark() const {
  int64_t watermark = 0;
  if (!has_watermark() || __builtin_sub_overflow(max_event_time_ms_ - 1, max_delay_ms_, &watermark)) return INT64_MIN;
  return watermark;
}

bool WatermarkTracker::restore(ByteReader& in) {
  const auto max_event_time_ms = in.get<int64_t>();
  if (!in.ok()) return false;
  max_event_time_ms_ = max_event_time_ms;
  return true;
}

}  // namespace weir
