// What follows from a WindowSpec before anything runs. Private to window_*.cpp. Start-up only.
#pragma once

#include "agent/model/schema.h"

namespace weir {

struct WindowSpec;

/// Of a stored window, in front of its accumulators: u64 sequence, i64 start, u64 newest offset.
constexpr uint32_t window_sequence_at = 0;
constexpr uint32_t window_start_at = 8;
constexpr uint32_t window_offset_at = 16;
constexpr uint32_t window_header_bytes = 24;

struct WindowSizes {
  uint64_t slot_bytes = 0;
  uint64_t panes = 0;  // windows of one key that can be open while the watermark is max_delay behind
};
WindowSizes window_sizes(const WindowSpec& spec, const Schema& input);
Schema window_schema(const WindowSpec& spec, const Schema& input);
std::string window_layout(const WindowSpec& spec, const Schema& input);

}  // namespace weir
