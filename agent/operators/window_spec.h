// What follows from a WindowSpec before anything runs. Private to window_*.cpp. Start-up only, but for SliceParts.
#pragma once

#include "agent/model/schema.h"
#include "agent/model/state_layout.h"
#include "agent/operators/window_grid.h"

namespace weir {

struct WindowSpec;

/// Of a stored slice, in front of all else: u64 sequence of its last record (0: it has none), i64 start, u64 newest offset.
constexpr uint32_t slice_sequence_at = 0;
constexpr uint32_t slice_start_at = 8;
constexpr uint32_t slice_offset_at = 16;
constexpr uint32_t slice_header_bytes = 24;

constexpr int64_t never_early = INT64_MAX;
constexpr uint32_t update_is_due = uint32_t{1} << 31;

/// Where the parts of a slot begin that only some windows have, then the accumulators and the key.
struct SliceParts {
  static constexpr uint32_t none = 0;
  uint32_t fired_to = none;  // i64: all windows of the key that end here or earlier have fired; the greatest of a key counts
  uint32_t panes = none;     // u32: results so far of the window that ends where the slice ends; the highest bit: one is due
  uint32_t early = none;     // i64: when an early result is due, a time of the grid
  uint32_t clock = none;     // u32: the clock that the key follows
  uint32_t silence = none;   // of a slice that was opened for windows without records: see Silence
  uint32_t aggregates = 0;
  uint32_t key = 0;

  /// Plain tumbling windows have none of them.
  bool any() const { return (fired_to | panes | early | clock | silence) != none; }
};

/// Of a slice without records that stands for windows without records: how long the key has been silent. Stored as i64, u64.
struct Silence {
  static constexpr uint32_t bytes = 16;
  int64_t since_ms = 0;   // a time of the grid: the end of the key's last slice with records
  uint64_t sequence = 0;  // of the key's last record; 0: the slice stands for nothing

  static Silence read(const uint8_t* at);
  void write(uint8_t* at) const;
};

struct WindowSizes {
  uint64_t slot_bytes = 0;
  uint64_t slices = 0;  // that one key can have while the watermark is max_delay behind
};

WindowGrid window_grid(const WindowSpec& spec);
SliceParts slice_parts(const WindowSpec& spec);
WindowSizes window_sizes(const WindowSpec& spec, const Schema& input);
Schema window_schema(const WindowSpec& spec, const Schema& input);
StateLayout window_layout(const WindowSpec& spec, const Schema& input);

}  // namespace weir
