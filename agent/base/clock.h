// The seam of time. Only the reactor and the storage thread hold a Clock; everything below them gets `Now` as an argument,
// so that the whole agent can run inside a simulation.
#pragma once

#include <cstdint>

namespace weir {

/// One reading of both clocks. `boot_ms` (CLOCK_BOOTTIME) never jumps and counts suspension: intervals and timeouts use it.
/// `wall_ms` (CLOCK_REALTIME, milliseconds since 1970) is for people and for arrival times; it may jump.
struct Now {
  int64_t boot_ms = 0;
  int64_t wall_ms = 0;
  /// Nobody has told this machine the time yet, or not for long: the wall clock may be wrong by any amount, and will jump.
  bool unsynchronised = false;
};

/// A wall clock that shows less was never set. (2024-01-01)
constexpr int64_t earliest_plausible_wall_ms = 1'704'067'200'000;

/// What the system says of the wall clock. Unknown: it may not be asked.
enum class ClockSync : uint8_t { Unknown, Synchronised, Unsynchronised };

class Clock {
 public:
  virtual ~Clock() = default;
  /// The two clocks; `unsynchronised` is for the reactor to fill, from sync().
  virtual Now now() = 0;
  virtual ClockSync sync() { return ClockSync::Unknown; }
};

/// The machine's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  Now now() override;
  /// As the kernel says (STA_UNSYNC of adjtimex); where that may not be asked, the mark that systemd-timesyncd leaves.
  ClockSync sync() override;
};

}  // namespace weir
