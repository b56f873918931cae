// PipelineHost: what a pipeline lives in, for as long as its configuration does: it builds it, restores it, starts it, and when
// it fails stops it alone, tears it down and, when the restart strategy says so, builds it once more in the same memory and
// restores it from its last checkpoint, while the others run on.
//
//   Running --failure--> Leaving --jobs are done, torn down--> Waiting --delay is over--> Restoring --> Running
//                                                         \--> Final --resume--> Waiting
//
// A reload brings hosts in and takes others out, while the agent runs:
//
//   Built --enter--> Entering --restored--> Entered --launch--> Running --stop, retire--> Leaving --> Stopped
//
// The store belongs to the storage thread, so the host restores there, in one job, and nobody touches the pipeline meanwhile.
// Owned by the agent. Reactor thread, and start-up. The heap is used while a pipeline is torn down, built and restored, under
// HeapOwner::Restart.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/app/restart_history.h"
#include "agent/base/arena.h"
#include "agent/runtime/pipeline.h"
#include "agent/runtime/restart_strategy.h"

namespace weir {

class PipelineHost final : public TurnHandler, private StorageJob {
 public:
  struct Plan {
    std::string name;
    uint64_t fingerprint = 0;  // of the pipeline's table
    uint64_t digest = 0;       // of all that it is built from
    size_t slot = 0;           // of the agent's
    RestartRule restart;
    /// nullptr: it cannot be built, which has been said. Any thread.
    std::function<std::unique_ptr<Pipeline>(Arena&)> build;
    /// Makes it known to the flight recorder and the watchdog. Reactor thread, before it is restored.
    std::function<void(Pipeline&)> board;
  };

  /// Builds it for the first time, on any thread. `arena` and `history` outlive the host.
  PipelineHost(Plan plan, Arena& arena, RestartHistory& history);
  /// The same in an arena of its own.
  PipelineHost(Plan plan, std::unique_ptr<Arena> arena, RestartHistory& history);

  const std::string& name() const { return plan_.name; }
  const Plan& plan() const { return plan_; }
  /// Bytes of an arena of its own; 0: it lives in the agent's.
  size_t own_bytes() const { return own_arena_ == nullptr ? 0 : own_arena_->used(); }
  /// Once retired(), and for good.
  void give_back_memory() {
    if (own_arena_ == nullptr) arena_.give_back(arena_from_, arena_to_);
  }
  /// nullptr while there is none, or it is being restored.
  Pipeline* pipeline() const { return phase_ == Phase::Restoring || phase_ == Phase::Entering ? nullptr : pipeline_.get(); }

  /// That it has in the store; 0 before restore().
  uint32_t number() const { return number_; }

  // ---- the start of the process, before the storage thread runs

  /// The store still belongs to the caller's thread. As Pipeline::restore.
  Status restore(CheckpointStore& store, bool allow_non_restored_state, Now now, RestoreReport& report);
  /// Builds it anew, as if nothing had been restored. Any thread, while no other knows the host.
  void rebuild();
  void board() { plan_.board(*pipeline_); }
  /// Takes in what is known of earlier processes: a delay goes on, and a death counts as a failure. `blamed`: the pipeline at
  /// whose message the process died, which is the one that failed then; empty: nobody knows, all have.
  void recall(std::string_view blamed, Now now);
  /// From here on an end of the process counts as a failure, if it is to run at once. Written, not yet durable.
  Status note_start(Now now);
  /// Starts it, unless it has to wait. `journal`: the thread that journals use.
  Status start(Poller& poller, StorageExecutor& storage, BackgroundExecutor* journal, Now now);

  // ---- afterwards

  void on_turn(Now now) override;
  int64_t next_deadline_boot_ms() const override;
  /// Ends a wait, or what strategy has ended. False: it runs.
  bool resume(Now now);
  void stop(Now now, bool drain);
  bool stopped() const;
  bool running() const { return phase_ == Phase::Running && !pipeline_->stopped(); }
  /// It is not started again until resume().
  bool final() const { return phase_ == Phase::Final; }
  /// Not Ok: the store has failed, and the process must end.
  Status store_failure() const;
  void fill_status(PipelineStatus& status, Now now) const;

  // ---- a reload

  /// Where it would go on from; changes nothing in the store, and the pipeline has to be built anew afterwards. Storage thread.
  Status try_restore(CheckpointStore& store, bool allow_non_restored_state, Now now, RestoreReport& report) {
    return pipeline_->try_restore(store, allow_non_restored_state, now, report);
  }
  /// In the place of restore() to start(): restores it through the storage thread, then waits for launch().
  void enter(Poller& poller, StorageExecutor& storage, BackgroundExecutor* journal, bool allow_non_restored_state, Now now);
  bool entering() const { return phase_ == Phase::Entering; }
  bool entered() const { return phase_ == Phase::Entered; }
  /// Why it could not be restored, if it is neither.
  std::string entry_error() const { return report_.error.empty() ? job_status_.text() : report_.error; }
  void launch(Now now);
  /// Once stopped(): lets go of the pipeline as soon as no other thread has a job of it.
  void retire(Now now);
  bool retired() const { return phase_ == Phase::Stopped && pipeline_ == nullptr; }
  /// Once retired(): goes on from the last checkpoint.
  void start_again(Now now);
  /// At the end of the process, when no other thread runs: whether it ran until it was told to stop.
  Status note_end(Now now);

 private:
  enum class Phase : uint8_t { Built, Running, Leaving, Waiting, Noting, Restoring, Final, Stopped, Entering, Entered };
  /// Runs behind whatever the pipeline has at the journals' thread.
  struct JournalFence final : BackgroundJob {
    explicit JournalFence(PipelineHost& host_) : host(host_) {}
    void work() override {}
    void done(Now now) override { host.on_fence(now); }
    PipelineHost& host;
  };

  void run(CheckpointStore& store) override;
  void done(Now now) override;

  bool build();
  void on_failure(Status cause, Now now);
  void decide(std::string_view cause, bool unrecoverable, Now now);
  void forgive();
  void on_fence(Now now);
  void tear_down(Now now);
  void begin(Now now);
  void on_restored(Now now);
  void on_entered(Now now);
  Status run_pipeline(Now now);
  void note(bool running, Now now);

  Plan plan_;
  std::unique_ptr<Arena> own_arena_;  // nullptr: it lives in the agent's
  Arena& arena_;
  RestartHistory& history_;
  size_t arena_from_ = 0;
  size_t arena_to_ = 0;
  RestartStrategy strategy_;
  RestartRecord record_;
  std::unique_ptr<Pipeline> pipeline_;
  Phase phase_ = Phase::Built;
  bool restored_ = false;
  bool stopping_ = false;
  bool forgiven_ = false;  // by resume() or another configuration: its poison messages as well
  bool allow_non_restored_state_ = false;
  uint32_t number_ = 0;
  uint32_t fences_ = 0;
  int64_t due_boot_ms_ = 0;
  int64_t failed_boot_ms_ = 0;

  Poller* poller_ = nullptr;
  StorageExecutor* storage_ = nullptr;
  BackgroundExecutor* journal_ = nullptr;
  JournalFence journal_fence_{*this};
  Now job_now_;
  Status job_status_;   // of the restore
  Status note_status_;  // of the history
  Status store_failure_;
  RestoreReport report_;
  PipelineStatus last_;  // what it had said when it was torn down, numbers only
};

}  // namespace weir
