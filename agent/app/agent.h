// Agent: everything that `weir run` runs, put together: store, storage thread, reactor, pipelines, control socket, signals.
// `weir plan` and `weir check` build it as well, and then leave it at that: what they print is what a run reserves.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/app/agent_watch.h"
#include "agent/app/checkpoint_requests.h"
#include "agent/app/dead_letter_requests.h"
#include "agent/app/flight_deck.h"
#include "agent/app/pipeline_host.h"
#include "agent/app/reload.h"
#include "agent/app/restart_history.h"
#include "agent/app/savepoint_pages.h"
#include "agent/base/arena.h"
#include "agent/base/function_ref.h"
#include "agent/config/load.h"
#include "agent/runtime/storage_thread.h"
#include "agent/status/agent_status.h"
#include "agent/status/control_server.h"
#include "connectors/mqtt/control_topic.h"
#include "storage/checkpoint_store.h"
#include "storage/sqlite_memory.h"

namespace weir {

struct RunOptions {
  bool allow_non_restored_state = false;
  /// What the configuration was read from, for a reload.
  std::vector<std::string> paths;
  std::vector<std::string> overrides;
};

class Agent final : private ControlHandler,
                    private ControlTopicHandler,
                    private PollHandler,
                    private TurnHandler,
                    private Reload::Owner {
 public:
  /// Reserves every pool and builds every pipeline. What is wrong with the configuration beyond its syntax (expressions,
  /// fields, sizes) is added to its diagnostics; check them before anything else.
  Agent(LoadedConfig& config, Clock& clock);
  ~Agent() override;

  Arena& arena() { return arena_; }
  /// In the order of the configuration.
  const std::vector<std::unique_ptr<PipelineHost>>& hosts() const { return hosts_; }
  /// Runs until SIGTERM or SIGINT, or until it cannot go on. Returns the exit code. The caller has blocked the signals.
  /// What a start with this state directory, or savepoint, would come to, pipeline by pipeline; changes nothing, and the agent
  /// is of no use afterwards. Code::Busy if an agent uses the directory (detail: its pid), Code::NotFound if there is no state.
  Status try_restore(const std::string& state_dir_or_savepoint, bool allow_non_restored_state,
                     FunctionRef<void(const std::string& pipeline, Status status, const RestoreReport& report)> visit);
  int run(const RunOptions& options);

 private:
  /// Lists dead letters into the control socket's buffer, on the storage thread.
  struct ListJob final : StorageJob {
    explicit ListJob(Agent& owner) : agent(owner) {}
    void run(CheckpointStore& store) override;
    void done(Now now) override;
    Agent& agent;
    TextWriter* out = nullptr;
    int64_t after = 0;
    int64_t limit = 0;
    bool json = false;
    bool one = false;  // the letter with the number `after`
  };

  int exit_code(Status status) const;
  int fail(const char* what, Status status) const;
  bool fresh_if_corrupt() const;
  int fail_to_open(Status status);
  int fail_to_restore(Status status);
  void explain_corrupt() const;
  void set_state_aside();
  Status open_state();
  StoreOptions store_options() const;
  Status open_store(const StoreOptions& options);
  void take_sqlite_block();
  Status restore_pipelines(const RunOptions& options);
  Status restore_or_begin_anew(const RunOptions& options);
  Status record_config();
  Status start(const RunOptions& options);
  Status watch_signals();
  void begin_stop(Now now, bool drain = false);
  int finish();
  void build_hosts();
  uint64_t reserved() const;
  Status recall_restarts();
  void note_ends(Now now);
  int work(const RunOptions& options);
  void report_connections();
  void notify_status(Now now);
  void tell_if_all_failed();

  Answer on_command(std::string_view line, TextWriter& out, Now now) override;
  void on_control(std::string_view line, TextWriter& out, Now now) override;
  void answer_status(bool json, TextWriter& out, Now now);
  void answer_ledger(bool json, TextWriter& out, Now now);
  Answer answer_dead_letters(std::string_view words, TextWriter& out);
  Answer answer_dead_letter(std::string_view words, TextWriter& out);
  Answer begin_list(TextWriter& out);
  Answer answer_reload(std::string_view words, TextWriter& out, Now now);
  void answer_resume(std::string_view pipeline, TextWriter& out, Now now);
  Answer answer_stop(bool drain, TextWriter& out, Now now);
  ReloadLimits reload_limits() const override;
  size_t free_slot(std::span<const size_t> taken) const override;
  PipelineHost::Plan host_plan(const std::shared_ptr<LoadedConfig>& config, size_t spec, size_t slot) override;
  BackgroundExecutor* journal_for(const LoadedConfig& config) override;
  bool hosts_may_change() const override;
  void change_hosts(std::span<PipelineHost* const> out, std::vector<std::unique_ptr<PipelineHost>> in,
                    std::shared_ptr<LoadedConfig> config) override;
  void on_ready(uint32_t events, Now now) override;  // signals
  void on_turn(Now now) override;
  int64_t next_deadline_boot_ms() const override;

  std::shared_ptr<LoadedConfig> config_;  // each pipeline keeps the one that it was built from
  const size_t slots_;                    // pipelines that there can be
  Clock& clock_;
  Now process_start_;
  Arena arena_;
  std::span<uint8_t> sqlite_block_;
  std::optional<SqliteMemory> sqlite_memory_;  // gone after everything that has the database open
  Reactor reactor_;
  AgentWatch watch_;
  ControlServer control_;
  FlightDeck flight_;
  RestartHistory restart_history_;
  std::vector<std::unique_ptr<PipelineHost>> hosts_;
  std::span<PipelineStatus> pipeline_status_;
  std::span<uint64_t> connection_loops_;  // by slot, at the last tick
  std::unique_ptr<SqliteCheckpointStore> store_;
  std::unique_ptr<StorageThread> storage_;
  WorkerThread journal_thread_{"weir-journal",
                               watch_.journal()};  // a slow checkpoint must not hold up what acknowledgements wait for
  ListJob list_job_;
  std::unique_ptr<CheckpointRequests> checkpoint_requests_;  // of the control socket
  std::unique_ptr<SavepointPages> savepoint_pages_;
  std::unique_ptr<DeadLetterRequests> dead_letter_requests_;
  StoreOptions opened_for_;  // what the store was opened for
  std::unique_ptr<Reload> reload_;
  bool lookups_ = false;  // room for reading tables from SQLite files
  bool journals_run_ = false;
  std::unique_ptr<ControlTopic> control_topic_;  // nullptr: none is wanted
  std::unique_ptr<CheckpointRequests> control_topic_requests_;
  int signals_ = -1;
  bool ready_ = false;
  bool stopping_ = false;
  bool job_in_flight_ = false;
  int64_t open_ms_ = 0;
  int64_t last_tick_boot_ms_ = 0;
  int64_t last_turn_boot_ms_ = 0;
  size_t connected_told_ = SIZE_MAX;
  bool all_failed_told_ = false;
};

}  // namespace weir
