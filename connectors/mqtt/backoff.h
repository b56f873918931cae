// Backoff: how long to wait before the next try to connect. A connection that had been up is tried again after 100 to 300 ms,
// for a broker that restarts or a session that was taken over is the common case; after that 1, 2, 4, ... 60 s, each with 20 %
// jitter either way, so that a thousand gateways do not return in step. A session that somebody else takes again and again is
// contested: the waits grow in the same way from the second time on, although each connection was made at once, or two gateways
// with one client id would fight at full speed for ever. The jitter comes from a hash of the seed and a count:
// the same seed gives the same delays, and no random source is needed. Value type; no clock, the caller adds the time.
#pragma once

#include <cstdint>

namespace weir {

/// A connection that held for so long is not contested.
constexpr int64_t uncontested_ms = 600'000;

class Backoff {
 public:
  explicit Backoff(uint64_t seed) : seed_(seed) {}

  /// The delay in ms after a connection that had held for a while was lost.
  int64_t after_loss_ms();
  /// The delay in ms after the other side ended, or gave away, a connection that had held for `held_ms`; longer each time
  /// unless it had held for ten minutes.
  int64_t after_contest_ms(int64_t held_ms);
  /// The delay in ms after a try that failed; longer each time.
  int64_t after_failure_ms();
  /// A connection has held: the next failure is the first again.
  void reset() { failures_ = 0; }

 private:
  int64_t doubled_ms(uint32_t times);
  /// A number in [0, bound).
  int64_t jitter(int64_t bound);

  uint64_t seed_;
  uint64_t draws_ = 0;
  uint32_t failures_ = 0;
  uint32_t contests_ = 0;
};

}  // namespace weir
