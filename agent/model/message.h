// Message: one delivery of a source, before decoding. A view; good until the call that passes it returns.
#pragma once

#include <cstdint>
#include <string_view>

#include "agent/base/bytes.h"

namespace weir {

/// Readable bytes behind every payload, so that a decoder may load whole vector registers.
constexpr size_t payload_padding = 64;

struct Message {
  std::string_view topic;
  Bytes payload;           // followed by payload_padding readable bytes, whatever they hold
  uint64_t offset = 0;     // 1, 2, 3, ... per source, in the order of delivery; survives restarts
  int64_t arrival_ms = 0;  // ms since 1970; never less than the one before, see runtime/pipeline_clock.h
  uint8_t qos = 0;
  bool retained = false;
  bool unsynchronised = false;  // it arrived while the wall clock was not synchronised
};

}  // namespace weir
