// RestartHistory: what restart strategies remember, between processes and across reboots: the records of
// storage/restart_file.h, and what the time that has passed means when the clock that they count on has begun anew. Owned by
// the agent; start-up and shutdown, and the storage thread in between.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "agent/base/clock.h"
#include "agent/runtime/restart_strategy.h"
#include "storage/restart_file.h"

namespace weir {

/// Why it failed the last time, cut to this length.
constexpr size_t restart_cause_max = 88;

struct RestartRecord {
  RestartState state;
  uint64_t fingerprint = 0;                     // of the configuration that it failed with
  bool running = false;                         // it ran when this was written, and a stop in order would have written again
  std::array<char, restart_cause_max> cause{};  // ends with a zero

  void set_cause(std::string_view text);
};

/// What became of the process before this one, as far as the record tells.
enum class LastRun : uint8_t {
  Unknown,  // there is no record
  Orderly,
  Died,       // it ended while the pipeline ran
  PowerLost,  // so did the machine: no failure of the pipeline
};

class RestartHistory {
 public:
  /// A damaged file is told about and begun anew; where it cannot be had, that is told and nothing is kept.
  void open(const std::string& state_dir, const std::vector<std::string>& names);
  /// One more name than open() was told. Uses the heap.
  Status admit(const std::string& name) { return file_.admit(name); }
  /// The record of that pipeline, its times put to this boot's clock.
  LastRun recall(std::string_view name, Now now, RestartRecord& record) const;
  /// Written, not yet durable.
  Status put(std::string_view name, const RestartRecord& record, Now now);
  Status sync() { return file_.sync(); }

 private:
  RestartFile file_;
  uint64_t boot_id_ = 0;
};

/// By how much the times of a record move that was written at `then` of another boot: by the wall clocks, where both were set
/// and the later one shows more; otherwise no time has passed.
int64_t restart_clock_shift_ms(Now then, Now now);

}  // namespace weir
