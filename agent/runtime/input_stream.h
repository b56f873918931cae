// InputStream: one input of a pipeline: which messages are its own, how they are decoded, what their event time is and how far
// event time has come. Owned by the graph; reactor thread; never allocates after it was made.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/base/arena.h"
#include "agent/base/clock.h"
#include "agent/model/codec.h"
#include "agent/operators/device_clocks.h"

namespace weir {

/// What the planner makes of a [pipeline.source].
struct InputParts {
  std::string pipeline;             // for messages to people
  std::string name;                 // of the source
  std::vector<std::string> topics;  // filters
  std::unique_ptr<Decoder> decoder;
  int event_time_field = -1;  // index into the decoder's schema; -1: arrival time
  int64_t max_delay_ms = 0;
  int64_t idle_ms = 0;
  int64_t max_future_ms = 0;  // 0: no limit
  /// An arrival before this is by a clock that was never set, or not known, and can judge no event time.
  int64_t earliest_arrival_ms = earliest_plausible_wall_ms;
  int clock_field = -1;  // index of the field whose values have clocks of their own; -1: one for all
  uint32_t devices_max = 0;
};

class InputStream {
 public:
  InputStream(InputParts parts, Arena& arena, std::string_view pool);

  const Schema& schema() const { return parts_.decoder->schema(); }
  bool takes(std::string_view topic) const;
  const std::string& name() const { return parts_.name; }

  /// Decodes `message` into `record`, whose values live until the next call. A refusal says why it cannot be.
  Refusal read(const Message& message, Record& record);
  /// `record` has run through the pipeline: event time moves on.
  void on_record(const Record& record, int64_t boot_ms);
  /// Something came: it is not idle, from this moment on.
  void on_activity(int64_t boot_ms) {
    tracker_.on_activity(boot_ms);
    idle_ = false;
  }
  void start(int64_t boot_ms) {
    on_activity(boot_ms);
    if (clocks_) clocks_->start(boot_ms);
  }
  /// Whether what is idle has changed, so that the watermarks may have moved.
  bool check_idle(int64_t boot_ms);

  /// INT64_MIN: none yet.
  int64_t watermark() const { return clocks_ ? clocks_->watermark(0) : tracker_.watermark(); }
  bool idle() const { return idle_; }
  DeviceClocks* clocks() { return clocks_.get(); }
  WatermarkTracker& tracker() { return tracker_; }

 private:
  bool too_far_ahead(int64_t event_time_ms, const Message& message);

  InputParts parts_;
  WatermarkTracker tracker_;
  std::unique_ptr<DeviceClocks> clocks_;
  std::span<Value> row_;
  bool idle_ = false;
  bool warned_of_future_ = false;
};

}  // namespace weir
