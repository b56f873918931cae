#include "examples/demo/reference.h"

#include <algorithm>

namespace weir {

bool Alert::same_result(const Alert& other) const {
  return device == other.device && window_start_ms == other.window_start_ms && max_temperature == other.max_temperature &&
         readings == other.readings;
}

void Reference::take(const Reading& reading) {
  if (reading.malformed) {
    ++account_.dead_lettered;
    return;
  }
  const int64_t start_ms = reading.time_ms - reading.time_ms % window_ms;  // the demo's times are never negative
  if (reading.temperature < lowest || reading.temperature > highest) {
    ++account_.filtered;
  } else if (start_ms + window_ms - 1 <= watermark_ms_) {
    ++account_.late;
  } else {
    ++account_.applied;
    Alert& window = open_.try_emplace({start_ms, reading.device}, Alert{reading.device, start_ms, lowest, 0, 0}).first->second;
    window.max_temperature = std::max(window.max_temperature, reading.temperature);
    ++window.readings;
  }
  watermark_ms_ = std::max(watermark_ms_, reading.time_ms - max_delay_ms - 1);
  close_windows();
}

void Reference::close_windows() {
  while (!open_.empty() && open_.begin()->second.window_start_ms + window_ms - 1 <= watermark_ms_) {
    const Alert& window = open_.begin()->second;
    if (window.max_temperature > too_hot) alerts_.push_back(window);
    open_.erase(open_.begin());
  }
}

}  // namespace weir
