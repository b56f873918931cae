// Reload: takes a changed configuration over while the agent runs, and leaves what has not changed alone.
//
//   1 building    read, compare, build what is new in memory of its own     the reload's thread
//   2 trying      would each go on from what is stored?                     storage thread; changes nothing
//   3 rebuilding  a trial uses a pipeline up                                the reload's thread
//   4 stopping    what changes or goes takes its last checkpoint            reactor
//   5 entering    what is new is restored from it                           storage thread
//   6 the swap    in one turn of the reactor; then what is new starts
//
// Whatever is wrong is found by 1 to 3, which touch nothing that runs. Should 5 fail nevertheless, the old ones go on. One
// reload at a time: who asks meanwhile is served by one more after it, however many they were.
// Owned by the agent; reactor thread; uses the heap under HeapOwner::Restart.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/app/pipeline_host.h"
#include "agent/app/reload_check.h"
#include "agent/app/reload_report.h"
#include "agent/base/text_writer.h"
#include "agent/runtime/worker_thread.h"
#include "agent/status/control_server.h"
#include "storage/checkpoint_store.h"

namespace weir {

struct ReloadRequest {
  bool dry_run = false;
  bool allow_non_restored_state = false;
  bool json = false;
};

/// False: these words of the control socket's "reload" are none that it knows.
bool parse_reload_request(std::string_view words, ReloadRequest& request);

class Reload final : private BackgroundJob {
 public:
  /// The agent, as far as a reload needs it.
  class Owner {
   public:
    virtual ReloadLimits reload_limits() const = 0;
    /// A slot that no pipeline has, besides those that are `taken` already. There is one. On the reload's thread, as is the
    /// next.
    virtual size_t free_slot(std::span<const size_t> taken) const = 0;
    virtual PipelineHost::Plan host_plan(const std::shared_ptr<LoadedConfig>& config, size_t spec, size_t slot) = 0;
    /// The journals' thread, started if the configuration needs it; nullptr: it does not.
    virtual BackgroundExecutor* journal_for(const LoadedConfig& config) = 0;
    /// Whether nobody is in the middle of a question about the pipelines.
    virtual bool hosts_may_change() const = 0;
    /// Takes `out` out, which are retired, and puts `in` in, at the place of one of the same name or at the end.
    virtual void change_hosts(std::span<PipelineHost* const> out, std::vector<std::unique_ptr<PipelineHost>> in,
                              std::shared_ptr<LoadedConfig> config) = 0;

   protected:
    ~Owner() = default;
  };

  Reload(Owner& owner, ControlServer& control, RestartHistory& history, const std::vector<std::unique_ptr<PipelineHost>>& hosts)
      : owner_(owner), control_(control), history_(history), hosts_(hosts) {}

  /// What the configuration is read from, and the parts that a pipeline runs on. Before the reactor runs.
  void connect(std::vector<std::string> paths, std::vector<std::string> overrides, Reactor& reactor, StorageExecutor& storage,
               SqliteCheckpointStore& store);

  /// On a signal; what comes of it is logged.
  void ask(Now now);
  /// On the control socket: `out` is filled when the control server is told so. False, with an error in `out`: the agent
  /// stops.
  bool ask(const ReloadRequest& request, TextWriter& out, Now now);
  void on_turn(Now now);
  bool busy() const { return phase_ != Phase::Idle; }
  /// The agent stops: nothing new is begun, and what has begun ends without a change.
  void stop() { stopping_ = true; }

 private:
  enum class Phase : uint8_t { Idle, Building, Trying, Rebuilding, Stopping, Entering, Noting };
  struct StoreJob final : StorageJob {
    explicit StoreJob(Reload& reload_) : reload(reload_) {}
    void run(CheckpointStore&) override { reload.work_on_store(); }
    void done(Now now) override { reload.on_store_job(now); }
    Reload& reload;
  };
  struct Incoming {
    std::unique_ptr<PipelineHost> host;
    size_t index = 0;  // of check_.pipelines
    Status status;     // of the trial
    RestoreReport report;
  };

  void begin(const ReloadRequest& request, TextWriter* out, Now now);
  void work() override;
  void done(Now now) override;
  void build_hosts();
  void work_on_store();
  void on_store_job(Now now);
  void after_trial(Now now);
  void stop_old(Now now);
  void retire_old(Now now);
  void enter_new(Now now);
  void swap_when_entered(Now now);
  void go_back(Now now);
  PipelineHost* running(std::string_view name) const;
  std::vector<PipelineHost*> leaving() const;
  std::string refusals() const;
  void finish(const std::string& error, Now now);
  void serve_next(Now now);
  ReloadReport report_of(const std::string& error, Now now) const;
  static void log_report(const ReloadReport& report);

  Owner& owner_;
  ControlServer& control_;
  RestartHistory& history_;
  const std::vector<std::unique_ptr<PipelineHost>>& hosts_;
  std::vector<std::string> paths_;
  std::vector<std::string> overrides_;
  Reactor* reactor_ = nullptr;
  StorageExecutor* storage_ = nullptr;
  SqliteCheckpointStore* store_ = nullptr;
  Pulse pulse_;  // nobody watches it
  std::unique_ptr<WorkerThread> thread_;
  StoreJob store_job_{*this};

  Phase phase_ = Phase::Idle;
  bool stopping_ = false;
  bool again_ = false;  // asked for by a signal meanwhile
  ReloadRequest request_;
  TextWriter* out_ = nullptr;  // nullptr: nobody waits
  ReloadRequest next_request_;
  TextWriter* next_out_ = nullptr;
  ReloadLimits limits_;
  ReloadCheck check_;
  std::vector<Incoming> incoming_;
  Now begun_;
  bool changed_ = false;
  Status noted_;
  uint64_t generation_ = 1;  // configurations since the start
};

}  // namespace weir
