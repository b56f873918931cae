// Pipeline: one stream from its source to its outbox, the unit of isolation. It decodes each message, runs it through the
// operators to completion, books what became of it, moves event time on, and lets nothing in between a barrier and the moment
// its checkpoint is decided. Any point between two records is a consistent cut, so a barrier needs no alignment.
//
// Life: built by the planner -> restore() (before the storage thread starts) -> start() -> turns -> stop() -> stopped().
// Owned by the agent. Reactor thread only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/model/flight_recorder.h"
#include "agent/model/source.h"
#include "agent/runtime/checkpoint_coordinator.h"
#include "agent/runtime/dead_letter_buffer.h"
#include "agent/runtime/outbox_sink.h"
#include "agent/runtime/part_decision.h"
#include "agent/runtime/pipeline_clock.h"
#include "agent/runtime/reactor.h"
#include "agent/runtime/state_loss.h"
#include "agent/runtime/step_graph.h"
#include "agent/runtime/work_mark.h"

namespace weir {

/// When a message at which the process dies again and again is set aside, and how often that may be.
struct PoisonPolicy {
  uint32_t deaths = 3;     // in a row with the message in hand; 0: never
  uint32_t per_hour = 10;  // set aside; with one more the pipeline fails
};

/// What the planner makes of a [[pipeline]].
struct PipelineParts {
  std::string name;
  std::string weir_version;
  uint64_t config_fingerprint = 0;
  CheckpointPolicy checkpoint;
  std::vector<NamedTrigger> triggers;
  DeadLetterLimits dead_letters;
  PoisonPolicy poison;
  uint32_t checkpoints_retained = 2;
  size_t dead_letter_payload_max = 4096;
  OutboxLimits outbox;
  std::unique_ptr<Source> source;
  GraphParts graph;
  const Schema* result_schema = nullptr;  // what arrives at the sink
  std::unique_ptr<Renderer> renderer;
  std::unique_ptr<Publisher> publisher;
  ManifestCodec* manifest_codec = nullptr;
};

/// What restore() found; `error` explains a refusal to a person, with the ways out.
struct RestoreReport {
  uint64_t checkpoint_id = 0;
  std::string error;
  std::string lost;     // what could not be brought back, in sentences; empty: nothing is missing
  PartDecisions parts;  // empty: there was no checkpoint
};

/// Code::Io and Code::Corrupt are failures of the store, after which the process must end and recover.
inline bool is_store_failure(Status status) { return status.code() == Code::Io || status.code() == Code::Corrupt; }

class Pipeline final : public TurnHandler,
                       private SourceHandler,
                       private RefusalHandler,
                       private CheckpointOwner,
                       private OutboxOwner {
 public:
  Pipeline(Arena& arena, PipelineParts parts);
  ~Pipeline() override;

  const std::string& name() const { return parts_.name; }
  /// That it has in the store; 0 before restore().
  uint32_t number() const { return number_; }

  /// Where it notes what it does; both must outlive it. Start-up only, before restore().
  void record_flight(FlightRecorder& recorder, PipelineTrace& trace);
  /// Of the newest message that was taken in.
  uint64_t newest_offset() const { return trace_->newest_offset; }

  /// Loads the newest checkpoint. Start-up only: the store still belongs to the caller's thread, and the heap may be used.
  Status restore(CheckpointStore& store, bool allow_non_restored_state, Now now, RestoreReport& report);
  /// What restore() would come to: does all of it, and changes nothing in the store. The pipeline is of no use afterwards.
  Status try_restore(CheckpointStore& store, bool allow_non_restored_state, Now now, RestoreReport& report);
  Status start(Poller& poller, StorageExecutor& executor, Now now);
  /// Last checkpoint, acknowledgements, goodbye. stopped() turns true when that is done or has taken too long. `drain`: before
  /// that event time goes to its end, so that every window hands over what it has; the pipeline has ended for good then, and
  /// restore() refuses to go on from there.
  void stop(Now now, bool drain = false);
  bool stopped() const { return state_ == State::Stopped || state_ == State::Failed; }
  /// Not Ok once the pipeline has failed: it takes part in nothing any more. Unless it is a failure of the store it is the
  /// pipeline's own, which can be built again.
  Status failure() const { return failure_; }
  bool store_failed() const { return is_store_failure(failure_); }
  /// A failure of its own that another start would only repeat.
  bool unrecoverable() const { return unrecoverable_; }
  /// Somebody has looked at the poison messages of this hour; they are counted from 0 again. After record_flight().
  void forget_poison() { trace_->poison_in_hour = 0; }
  /// Whether a job of its own may still be at the storage thread.
  bool has_jobs() const { return coordinator_.in_flight() || outbox_.reading(); }
  /// Returns the id that the checkpoint will have at least.
  uint64_t request_checkpoint() {
    coordinator_.request(CheckpointReason::Requested);
    return coordinator_.next_id();
  }

  /// Whether replay() may be called: there is room for whatever comes of it.
  bool may_replay() const { return ready() && dead_letters_.may_replay(); }
  /// Why a letter of this pipeline cannot be replayed; nullptr: it can.
  const char* not_replayable(const DeadLetter& letter) const;
  /// Takes the message of a stored letter in once more, as if it had just been delivered; the next checkpoint holds what came
  /// of it and takes the letter away. Requires may_replay(). False: it was set aside again, as another letter. The payload must
  /// be followed by payload_padding readable bytes.
  bool replay(int64_t id, const DeadLetter& letter, Now now);
  /// Where it notes the message in hand; `mark` must outlive it. Start-up only.
  void mark_work(WorkMark& mark) { mark_ = &mark; }
  /// How often the loops of its connections have run.
  uint64_t connection_loops() const { return connection_loops_; }

  const CheckpointHistory& checkpoint_history() const { return history_; }
  CheckpointStatus checkpoint_status(Now now) const { return coordinator_.status(now); }

  void on_turn(Now now) override;
  int64_t next_deadline_boot_ms() const override;

  void fill_status(PipelineStatus& status, Now now) const;
  void set_recovery_times(int64_t process_start_boot_ms, int64_t open_ms, int64_t restore_ms);
  /// Bytes of all keyed state when it is full, and those that one message changes.
  struct KeyedBytes {
    uint64_t state = 0;
    uint64_t entry = 0;
  };
  KeyedBytes keyed_bytes() const;
  /// The largest transaction that a checkpoint of this pipeline can be, bytes.
  uint64_t transaction_bytes_max() const;
  /// What its retained checkpoints take up in the database, without results that wait and dead letters: the chunks of keyed
  /// state and a quarter more in deltas and older versions of chunks (keyed_state.h), and of the rest a copy per checkpoint.
  uint64_t stored_bytes_max() const;
  /// The largest blob of a transaction.
  uint64_t blob_bytes_max() const;

 private:
  enum class State : uint8_t { Built, Running, Stopping, Draining, Closing, Stopped, Failed };
  class OwnState;
  class Restorer;
  Status load(CheckpointStore& store, Restorer& restorer, Now now, RestoreReport& report);

  bool ready() const override;
  void on_message(const Message& message, Now now) override;
  int64_t arrival_ms(Now now) override { return clock_.at(now); }
  bool may_shed() const override;
  void on_shed(Now now) override;
  void on_duplicate(Now now) override;
  void on_refused(const Message& message, const char* reason, std::string_view detail, Now now) override;
  void on_session_lost(bool expected, Now now) override;
  void want_checkpoint(CheckpointReason reason, Now now) override;
  void on_source_failed(Status status, Now now) override;
  void on_refused(const Record& record, const Schema& schema, std::string_view step, Refusal refusal) override;
  bool checkpoint_dirty() const override;
  bool checkpoint_prepared(Now now) override { return parts_.source->prepare_checkpoint(now); }
  CheckpointProgress checkpoint_progress() const override;
  void checkpoint_barrier(Snapshot& snapshot, Manifest& manifest) override;
  void checkpoint_decided(uint64_t id, Status status, Now now) override;
  void checkpoint_hopeless(Status status) override { fail(status); }
  bool on_row_rejected(const OutboxRow& row, const char* reason, Now now) override;
  void on_outbox_failed(Status status, Now now) override;

  void set_aside(const DeadLetter& letter);
  void set_aside_message(const Message& message, std::string_view step, const char* reason, std::string_view detail);
  bool is_poison(uint64_t offset, uint64_t hash) const;
  bool may_set_aside_poison(Now now);
  void set_aside_poison(const Message& message, Now now);
  void work_at(const Message& message, Now now);
  void note_connection(Now now);
  void note_decided(uint64_t id, Status status, Now now);
  void book(Outcome outcome, std::string_view topic);
  SourceAccount* account_of(std::string_view topic);
  void book_unread(Now now);
  void tick_steps(Now now);
  uint64_t evicted() const;
  void request_if_full();
  void pump(Now now);
  void continue_stop(Now now);
  void end_input(Now now);
  void leave(Now now);
  void fail(Status status);
  static SnapshotBounds total_bounds(const std::vector<Stateful*>& stateful);
  std::vector<Stateful*> collect_stateful();

  PipelineParts parts_;
  StepGraph graph_;
  std::unique_ptr<OwnState> own_state_;
  ReasonCounts reasons_;
  CheckpointHistory history_;
  PipelineClock clock_;
  Ledger ledger_;
  DeadLetterBuffer dead_letters_;
  Outbox outbox_;
  std::unique_ptr<OutboxSink> sink_;
  std::vector<Stateful*> stateful_;
  CheckpointCoordinator coordinator_;
  std::span<char> derived_text_;

  State state_ = State::Built;
  Status failure_;
  Status doomed_;  // not Ok: it fails at the next turn
  bool unrecoverable_ = false;
  uint32_t source_count_ = 0;  // 0: there is one
  std::array<SourceAccount, source_accounts_max> sources_;
  const Message* in_hand_ = nullptr;
  uint32_t attempts_ = 0;  // of the letter that is being replayed
  WorkMark* mark_ = nullptr;
  uint64_t connection_loops_ = 0;
  PipelineTrace unrecorded_{};
  PipelineTrace* trace_ = &unrecorded_;
  FlightRecorder* recorder_ = &FlightRecorder::none();
  uint64_t barrier_offset_ = 0;
  bool connection_noted_ = false;
  bool blocked_ = false;  // the source was told "not ready" and waits for resume()
  bool warned_of_letters_ = false;
  bool changed_ = false;  // since the last barrier, beyond what coordinator and outbox know
  uint32_t number_ = 0;
  uint32_t unknown_bytes_ = 0;  // of the manifest's fields that a newer weir has written
  std::array<uint8_t, Manifest::unknown_max> unknown_{};
  uint64_t restored_evictions_ = 0;
  Now last_turn_;
  int64_t last_tick_boot_ms_ = 0;
  int64_t last_steps_tick_boot_ms_ = 0;
  bool drains_ = false;
  bool left_ = false;  // the source was told to stop
  int64_t stop_deadline_boot_ms_ = 0;
  int64_t drain_deadline_boot_ms_ = 0;
  int64_t process_start_boot_ms_ = 0;
  int64_t started_boot_ms_ = 0;
  RecoveryStatus recovery_;
  StateLoss loss_;
};

}  // namespace weir
