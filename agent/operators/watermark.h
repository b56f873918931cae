// WatermarkTracker: how far event time has come, by bounded out-of-orderness as Flink's DataStream defines it: the watermark is
// the greatest event time seen, less `max_delay`, less one millisecond, evaluated per record, so that a replay comes to the
// same watermark. There is none before the first record. Owned by its pipeline; reactor thread; constant cost.
//
// Idleness is a status for people and metrics only: with a single source Flink's rule is that the watermark stays.
#pragma once

#include <cstdint>

#include "agent/base/bytes.h"

namespace weir {

class WatermarkTracker {
 public:
  /// Both in ms and >= 0; idle_ms 0: never idle.
  WatermarkTracker(int64_t max_delay_ms, int64_t idle_ms) : max_delay_ms_(max_delay_ms), idle_ms_(idle_ms) {
    WEIR_ASSERT(max_delay_ms >= 0 && idle_ms >= 0);
  }

  /// Flink's one forbidden event time: it stands for "no watermark yet".
  static constexpr bool usable(int64_t event_time_ms) { return event_time_ms != INT64_MIN; }

  /// Something came from the source, whatever became of it. The first call starts the clock of idleness.
  void on_activity(int64_t boot_ms);
  /// A record has run through the pipeline. Requires usable(event_time_ms).
  void on_record(int64_t event_time_ms);

  bool has_watermark() const { return max_event_time_ms_ != INT64_MIN; }
  /// No record with an event time <= this is expected any more. Saturates at INT64_MIN; INT64_MIN also while there is none.
  int64_t watermark() const;
  /// Nothing came for more than `idle`; exactly `idle` is not idle yet. Never before the first on_activity.
  bool idle(int64_t boot_ms) const { return idle_ms_ > 0 && active_ && boot_ms - active_boot_ms_ > idle_ms_; }

  /// The greatest event time is part of a checkpoint; idleness is not.
  static constexpr size_t saved_bytes = sizeof(int64_t);
  void save(ByteWriter& out) const { out.put(max_event_time_ms_); }
  /// False if the bytes are cut short; nothing changes then.
  bool restore(ByteReader& in);

 private:
  int64_t max_delay_ms_;
  int64_t idle_ms_;
  int64_t max_event_time_ms_ = INT64_MIN;
  int64_t active_boot_ms_ = 0;
  bool active_ = false;
};

}  // namespace weir
