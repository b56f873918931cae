// DeadLetter: a message that was set aside, with the reason. Views; the buffer that holds it says for how long.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/base/bytes.h"

namespace weir {

struct DeadLetter {
  std::string_view reason;  // a short constant, what counters group by: "json", "type", "event-time", "capacity", ...
  std::string_view detail;  // for people: "temperature: expected float, got \"warm\""
  std::string_view step;    // "source", a step's id, or "sink"
  std::string_view topic;
  Bytes payload;              // may be cut; payload_size says how long it was
  uint64_t payload_size = 0;  // bytes
  uint64_t offset = 0;
  int64_t arrival_ms = 0;  // wall clock
  uint32_t attempts = 0;   // how often it has been replayed, and set aside again
};

}  // namespace weir
