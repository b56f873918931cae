// CheckpointTrigger: an extra reason to take a checkpoint, asked on the reactor thread after each batch of messages and about
// once a second. What it sees is counters that exist already; a trigger never allocates, reads no clock and takes next to no
// time. Flink has no such thing: there a timer or an operator decides.
#pragma once

#include <cstdint>

namespace weir {

/// What has gathered since the last barrier. Times are ms by a clock that never jumps.
struct CheckpointContext {
  int64_t since_ms = 0;          // since the last checkpoint was completed, or the start
  int64_t since_attempt_ms = 0;  // since one was begun
  int64_t last_duration_ms = 0;  // of the last completed one, from its barrier to its commit
  uint64_t failures = 0;         // in a row
  uint64_t records = 0;          // messages taken in, redeliveries and refused ones included
  uint64_t bytes = 0;            // of their payloads
  uint64_t unacked = 0;          // messages that wait for their acknowledgement
  uint64_t dirty_keys = 0;       // keys (of windows: slices) whose state has changed
  uint64_t dirty_bytes = 0;      // what a checkpoint would copy of them
  uint64_t outbox_rows = 0;      // results that wait for a checkpoint
  int64_t event_time_ms = 0;     // how far the watermark has moved
};

class CheckpointTrigger {
 public:
  enum class Ask : uint8_t {
    No,
    Soft,  // one is wanted, once min_pause has passed
    Hard   // one is wanted at once
  };

  virtual ~CheckpointTrigger() = default;
  virtual Ask evaluate(const CheckpointContext& context) = 0;
  virtual void on_completed(uint64_t checkpoint_id) { (void)checkpoint_id; }
  virtual void on_failed(uint64_t checkpoint_id) { (void)checkpoint_id; }
};

}  // namespace weir
