// The checkpoint interval that fits a box: what bounds it from below (flash, the time that checkpoints take, min_pause) and
// from above (how long a recovery may take, the window of the source), and what each choice costs. Arithmetic only; the sources
// of the formulas stand with them. Start-up only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir {

struct CheckpointPlanInput {
  double messages_per_s = 100;
  double message_bytes = 150;     // topic and payload, as a journal records them
  double replayed_per_s = 5'000;  // how fast what a broker kept is taken in again
  double commit_s = 0.03;         // that a checkpoint stalls its pipeline
  double fixed_recovery_s = 3.3;  // notice the crash, start, restore
  double target_recovery_s = 0;   // 0: none given
  double time_between_failures_s = 7 * 86'400.0;
  double flash_bytes = 0;  // 0: none given
  double erase_cycles = 3'000;
  double device_write_amplification = 4;
  double life_years = 10;
  double overhead = 0.02;  // share of the time that checkpoints may take
  double min_pause_s = 0.5;
  double configured_s = 5;
  double window = 500;  // messages that may wait before a checkpoint is taken in any case
  const char* window_why = "the source's window (unacked)";
  double state_bytes = 0;  // of all keys
  double entry_bytes = 0;  // that one message changes
};

struct CheckpointBound {
  double seconds = 0;
  bool least = false;  // a lower bound
  std::string why;
};

/// What checkpoints at this interval mean.
struct CheckpointForecast {
  double interval_s = 0;
  double bytes_per_checkpoint = 0;
  double bytes_per_day = 0;
  double flash_years = 0;  // 0: no flash was given
  double recovery_s = 0;
  double fault_tolerance_s = 0;
};

struct CheckpointPlan {
  std::vector<CheckpointBound> bounds;
  double young_s = 0;        // no point in less: Young's optimum
  double recommended_s = 0;  // 0: the bounds exclude each other
  std::string binding;       // what decides, or which two exclude each other
  CheckpointForecast configured;
  CheckpointForecast recommended;
};

CheckpointPlan plan_checkpoints(const CheckpointPlanInput& input);
CheckpointForecast forecast(const CheckpointPlanInput& input, double interval_s);

/// Bytes that a checkpoint writes, the WAL and its move into the database included.
double bytes_written(const CheckpointPlanInput& input, double interval_s);

}  // namespace weir
