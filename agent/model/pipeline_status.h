// PipelineStatus: what a pipeline says about itself, filled on the reactor thread for whoever asks (the control socket).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "agent/model/ledger.h"
#include "agent/model/manifest.h"
#include "agent/model/publisher.h"
#include "agent/model/source.h"

namespace weir {

struct CheckpointStatus {
  uint64_t last_id = 0;  // completed
  CheckpointReason last_reason = CheckpointReason::None;
  int64_t last_duration_ms = 0;  // trigger to COMMIT returned
  int64_t age_ms = -1;           // since the last completed one; -1: none by this process
  uint64_t completed = 0;        // by this process
  uint64_t failed = 0;
  uint64_t failures_in_a_row = 0;
  bool overage = false;  // changes have waited for longer than max_age
  bool in_progress = false;
  const char* error = "";  // why the last attempt failed; empty after a success
};

/// What a start could not bring back.
struct LostState {
  uint64_t newest_id = 0;   // the newest checkpoint that had completed; 0: nothing was lost
  int64_t messages = -1;    // acknowledged, but missing from the state; -1: their number is not known
  const char* damage = "";  // what is wrong with it; empty: the store simply went back
  std::string_view copy;    // the file that keeps the state as it was found
};

/// The parts of a checkpoint's time: see runtime/checkpoint_history.h.
struct CheckpointTimes {
  uint64_t id = 0;
  CheckpointReason reason = CheckpointReason::None;
  int64_t created_wall_ms = 0;
  int64_t timer_ms = 0;   // T_timeout
  int64_t data_ms = 0;    // T_data
  int64_t sync_us = 0;    // T_sync
  int64_t async_us = -1;  // T_async; -1: it was not completed, or the process ended before it could be noted
  uint64_t bytes = 0;     // copied by the barrier
};

struct RecoveryStatus {
  uint64_t checkpoint_id = 0;  // 0: a fresh start
  int64_t open_ms = 0;         // opening the database
  int64_t restore_ms = 0;      // loading the checkpoint into the operators
  int64_t connect_ms = -1;     // from then to the broker's answer; -1: not yet
  int64_t total_ms = -1;       // from the start of the process to the broker's answer
  /// From the checkpoint to the start of the process, by the wall clock: what was running for a while, was found dead, and was
  /// started again. -1: unknown, the clock was set in between.
  int64_t since_checkpoint_ms = -1;
  LostState lost;
};

/// What its restart strategy says.
struct RestartStatus {
  const char* strategy = "";
  uint64_t failures = 0;    // ever, also of earlier processes
  int64_t next_in_ms = -1;  // until it is started again; -1: it runs, or will not be
  std::string_view cause;   // of the last failure
};

struct ReasonCount {
  std::string_view reason;
  uint64_t count = 0;
};

struct PipelineStatus {
  std::string_view name;
  const char* state = "";  // "running", "blocked", "stopping", "stopped", "failed", "waiting", "restoring", "FAILED"
  const char* error = "";  // why it failed
  bool has_watermark = false;
  int64_t watermark_ms = 0;
  bool idle = false;
  int64_t clock_ahead_ms = 0;  // of the wall clock: an earlier run has seen later times
  SourceStatus source;
  Ledger ledger;
  std::span<const SourceAccount> sources;  // of a pipeline that has several
  std::array<ReasonCount, 16> reasons;
  size_t reason_count = 0;
  CheckpointStatus checkpoint;
  RecoveryStatus recovery;
  PublisherStatus sink;
  RestartStatus restart;
  uint64_t late_partial = 0;  // of all steps; part of their state
  uint64_t late_updates = 0;
  uint64_t outbox_rows = 0;
  uint64_t outbox_bytes = 0;
  uint64_t outbox_waiting_blobs = 0;
};

}  // namespace weir
