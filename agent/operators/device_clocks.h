// DeviceClocks: event time per device (event_time.per): each value of one field has a watermark of its own, so that a device
// that is slow, or wrong about the time, harms only itself. A clock is known by a number from 1 on, which keyed steps store
// with their keys; number 0 is the clock that all records share, the least of the active ones.
//
// Memory is fixed: devices_max clocks. A device that finds no room is refused. Stored per clock: i64 greatest event time, the
// value's bytes; the operator blob: u32 number of clocks.
//
// Owned by the graph; reactor thread; never allocates after it was made. Constant time, but for finding the least clock: that
// looks at all of them when the least one has moved.
#pragma once

#include "agent/base/key_table.h"
#include "agent/operators/key_codec.h"
#include "agent/operators/keyed_state.h"
#include "agent/operators/watermark.h"

namespace weir {

class DeviceClocks final : public Stateful {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  /// `field` is the position of the device in `input`. Takes the pools "<pool>.slots", ".key-table" and ".clocks".
  DeviceClocks(const Schema& input, uint32_t field, uint32_t devices_max, int64_t max_delay_ms, int64_t idle_ms, Arena& arena,
               std::string_view pool);

  /// The numbers of the clocks: 0 and one per device.
  uint32_t count() const { return state_.slots() + 1; }
  /// The clock of idleness starts, also for the devices that a restart has brought back.
  void start(int64_t boot_ms);
  /// The clock of a record with these values, made if it is new; none if there is no room.
  uint32_t clock_of(std::span<const Value> values);
  /// A record of this clock has run through the pipeline.
  void on_record(uint32_t clock, int64_t event_time_ms, int64_t boot_ms);
  /// INT64_MIN: none yet. Of clock 0: the least over the devices that are not idle; it never goes back.
  int64_t watermark(uint32_t clock) const;
  /// Devices that were silent for longer than `idle` no longer hold back clock 0. Returns whether that moved it.
  bool check_idle(int64_t boot_ms);

  std::string_view uid() const override { return "clocks"; }
  std::string_view layout() const override { return layout_; }
  SnapshotBounds snapshot_bounds() const override;
  void snapshot(Snapshot& snapshot) override;
  void snapshot_done(uint64_t checkpoint_id, bool committed) override { state_.snapshot_done(checkpoint_id, committed); }
  Status restore(const StoredBlob& blob) override;
  Status restore_finished() override;

 private:
  struct Clock {
    int64_t active_boot_ms = 0;
    bool idle = false;
  };
  Bytes key_of(uint32_t slot) const { return state_.read(slot).subspan(sizeof(int64_t)); }
  int64_t newest_of(uint32_t slot) const;
  int64_t watermark_of(int64_t newest_ms) const;
  bool find_least();

  KeyCodec codec_;
  std::string layout_;
  int64_t max_delay_ms_;
  int64_t idle_ms_;
  KeyedState state_;
  KeyTable table_;
  std::span<Clock> clocks_;
  std::span<uint8_t> key_room_;
  uint32_t least_slot_ = none;
  int64_t least_ms_ = INT64_MIN;  // the watermark of clock 0
  int64_t boot_ms_ = 0;
};

}  // namespace weir
