#include "agent/app/agent.h"

#include <malloc.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "agent/app/command_line.h"
#include "agent/app/config_record.h"
#include "agent/app/control_client.h"
#include "agent/app/plan_restart.h"
#include "agent/app/planner.h"
#include "agent/app/start_up_pages.h"
#include "agent/app/version.h"
#include "agent/base/heap_guard.h"
#include "agent/base/log.h"
#include "agent/runtime/service_notify.h"
#include "connectors/mqtt/connector.h"
#include "storage/lookup_database.h"
#include "storage/set_aside.h"

namespace weir {
namespace {

/// Descriptors that the reactor watches besides those of pipelines: signals, storage, journals, control listener and caller,
/// control topic.
constexpr size_t descriptors_own = 8 + connector_descriptors;
constexpr size_t descriptors_per_pipeline = 2 * connector_descriptors;  // source and sink
constexpr size_t control_answer_bytes_min = 64 * 1024;

size_t dead_letter_payload_max(const LoadedConfig& config) {
  uint64_t most = 4096;  // also for pipelines that a reload adds
  for (const PipelineSpec& pipeline : config.specification.pipeline) most = std::max(most, pipeline.dead_letters.max_payload);
  return as_size(most);
}

/// Pipelines that reloads may add to those of the start.
constexpr size_t slots_spare = 8;

size_t control_answer_bytes(size_t pipelines) {
  return std::max(control_answer_bytes_min, status_agent_bytes_max + pipelines * status_pipeline_bytes_max);
}

}  // namespace

Agent::Agent(LoadedConfig& config, Clock& clock)
    : config_(std::shared_ptr<void>(), &config),
      slots_(config.specification.pipeline.size() + slots_spare),
      clock_(clock),
      process_start_(clock.now()),
      reactor_(arena_, clock, descriptors_own + descriptors_per_pipeline * slots_, slots_ + 1),
      watch_(arena_, config.specification, slots_),
      control_(arena_, control_answer_bytes(slots_)),
      list_job_(*this) {
  pipeline_status_ = arena_.take<PipelineStatus>(slots_, "status", "what the control socket shows of each pipeline");
  connection_loops_ = arena_.take<uint64_t>(slots_, "status", "");
  build_hosts();
  take_sqlite_block();
  checkpoint_requests_ = std::make_unique<CheckpointRequests>(hosts_);
  savepoint_pages_ = std::make_unique<SavepointPages>(hosts_, control_);
  control_topic_ = build_control_topic(config, arena_);
  control_topic_requests_ = std::make_unique<CheckpointRequests>(hosts_);
  dead_letter_requests_ = std::make_unique<DeadLetterRequests>(hosts_, control_, arena_, dead_letter_payload_max(config));
  Reload::Owner& reloaded = *this;
  reload_ = std::make_unique<Reload>(reloaded, control_, restart_history_, hosts_);
}

void Agent::build_hosts() {
  check_pipelines(*config_);
  for (size_t index = 0; index < config_->specification.pipeline.size(); ++index)
    hosts_.push_back(std::make_unique<PipelineHost>(host_plan(config_, index, index), arena_, restart_history_));
  if (config_->diagnostics.errors() > 0) hosts_.clear();
}

Agent::~Agent() {
  if (signals_ >= 0) close(signals_);
}

int Agent::exit_code(Status status) const {
  if (status.code() == Code::Busy) return exit_busy;
  if (status.code() == Code::Corrupt) return exit_corrupt;
  const bool configured = status.code() == Code::Config || status.code() == Code::Incompatible;
  return configured ? exit_config : exit_failure;
}

int Agent::fail(const char* what, Status status) const {
  log(LogLevel::Error, "%s: %s (%d)", what, status.text(), status.detail());
  return exit_code(status);
}

int Agent::fail_to_open(Status status) {
  const char* directory = config_->specification.agent.state_dir.c_str();
  if (status.code() == Code::Busy && status.detail() > 0) {
    log(LogLevel::Error, "another agent (pid %d) is using %s; stop it, or give this one another agent.state_dir",
        status.detail(), directory);
  } else if (access(directory, W_OK) != 0) {
    log(LogLevel::Error, "%s: %s: %s; agent.state_dir must be a directory that this user may write, or may create", directory,
        status.text(), strerror(errno));
  } else {
    log(LogLevel::Error, "%s: %s (%d)", directory, status.text(), status.detail());
    if (status.code() == Code::Corrupt) explain_corrupt();
  }
  return exit_code(status);
}

int Agent::fail_to_restore(Status status) {
  if (status.code() == Code::Corrupt) explain_corrupt();
  return exit_code(status);
}

// ---- damaged state

bool Agent::fresh_if_corrupt() const { return config_->specification.agent.on_corrupt == "fresh"; }

void Agent::explain_corrupt() const {
  const char* directory = config_->specification.agent.state_dir.c_str();
  log(LogLevel::Error,
      "%s/weir.db is damaged or gone and was left as it is. Ways out: put a copy of the state directory back, or restore a "
      "savepoint; or keep weir.db, weir.db-wal and weir.newest under other names and start, which begins with empty state; or "
      "set agent.on_corrupt = \"fresh\", which does that by itself. Messages that were acknowledged are not sent again by the "
      "broker",
      directory);
}

/// ALARM: what the pipelines knew is lost, and they begin anew.
void Agent::set_state_aside() {
  store_.reset();
  const Result<std::string> kept = move_aside(config_->specification.agent.state_dir);
  if (kept.ok()) {
    log(LogLevel::Error,
        "ALARM: the stored state is damaged beyond use; it is kept as %s, and the pipelines begin empty (agent.on_corrupt)",
        kept.value().c_str());
  } else {
    log(LogLevel::Error, "the stored state is damaged and could not be set aside: %s (%d)", kept.status().text(),
        kept.status().detail());
  }
}

// ---- start

StoreOptions Agent::store_options() const {
  const std::vector<PipelineSpec>& specs = config_->specification.pipeline;
  StoreOptions options;
  options.state_dir = config_->specification.agent.state_dir;
  options.fresh_if_corrupt = fresh_if_corrupt();
  // One database serves all pipelines, so the most careful of them decides.
  bool all_careless =
      std::ranges::all_of(specs, [](const PipelineSpec& spec) { return spec.checkpoint.durability == "process-crash"; });
  options.durability = all_careless ? CommitDurability::ProcessCrash : CommitDurability::PowerLoss;
  uint64_t database_bytes = 0;
  for (const auto& host : hosts_) {
    const Pipeline* pipeline = host->pipeline();
    options.transaction_bytes_max = std::max(options.transaction_bytes_max, pipeline->transaction_bytes_max());
    options.blob_bytes_max = std::max(options.blob_bytes_max, pipeline->blob_bytes_max());
    database_bytes += pipeline->stored_bytes_max();
  }
  options.database_bytes = std::max(options.database_bytes, database_bytes);
  return options;
}

void Agent::take_sqlite_block() {
  uint64_t bytes = SqliteCheckpointStore::memory_bytes(store_options());
  lookups_ = reads_lookup_tables(config_->specification);
  if (lookups_) bytes += LookupDatabase::memory_bytes;
  sqlite_block_ = arena_.take<uint8_t>(static_cast<size_t>(bytes), "sqlite", "what the state database needs, once");
}

Status Agent::open_store(const StoreOptions& options) {
  store_ = std::make_unique<SqliteCheckpointStore>();
  return store_->open(options);
}

Status Agent::open_state() {
  int64_t start = clock_.now().boot_ms;
  sqlite_memory_.emplace(sqlite_block_);
  const StoreOptions options = opened_for_ = store_options();
  Status status = open_store(options);
  if (status.code() == Code::Corrupt && fresh_if_corrupt()) {
    log(LogLevel::Error, "%s: %s (%d)", options.state_dir.c_str(), status.text(), status.detail());
    set_state_aside();
    status = open_store(options);
  }
  if (status.ok() && !store_->space_reserved().ok())
    log(LogLevel::Warning, "%s: no room to reserve space for checkpoints; a full disk will hold up acknowledgements",
        options.state_dir.c_str());
  open_ms_ = clock_.now().boot_ms - start;
  return status;
}

Status Agent::restore_pipelines(const RunOptions& options) {
  for (auto& host : hosts_) {
    Now before = clock_.now();
    RestoreReport report;
    Pipeline* pipeline = host->pipeline();
    Status status = host->restore(*store_, options.allow_non_restored_state, before, report);
    if (!status.ok()) {
      log(LogLevel::Error, "%s: cannot recover: %s", pipeline->name().c_str(),
          report.error.empty() ? status.text() : report.error.c_str());
      return status;
    }
    watch_.step();
    if (!report.lost.empty()) log(LogLevel::Error, "%s: %s", pipeline->name().c_str(), report.lost.c_str());
    int64_t restore_ms = clock_.now().boot_ms - before.boot_ms;
    pipeline->set_recovery_times(process_start_.boot_ms, open_ms_, restore_ms);
    if (report.checkpoint_id > 0) {
      log(LogLevel::Notice, "%s: recovered from checkpoint %llu (open %lld ms, restore %lld ms)", pipeline->name().c_str(),
          static_cast<unsigned long long>(report.checkpoint_id), static_cast<long long>(open_ms_),
          static_cast<long long>(restore_ms));
    } else {
      log(LogLevel::Notice, "%s: starts fresh, there is no checkpoint%s", pipeline->name().c_str(),
          report.lost.empty() ? " yet" : "");
    }
  }
  return {};
}

/// Damage that only a restore meets is set aside as one that opening the database meets is: then all begin anew.
Status Agent::restore_or_begin_anew(const RunOptions& options) {
  const Status status = restore_pipelines(options);
  if (status.code() != Code::Corrupt || !fresh_if_corrupt()) return status;
  set_state_aside();
  for (auto& host : hosts_) {
    host->rebuild();
    host->board();
  }
  WEIR_TRY(open_store(opened_for_));
  return restore_pipelines(options);
}

/// What is known of earlier failures decides who starts at once; from here on a death of the process counts.
Status Agent::recall_restarts() {
  std::vector<std::string> names;
  for (const auto& host : hosts_) names.push_back(host->name());
  restart_history_.open(config_->specification.agent.state_dir, names);
  const Now now = reactor_.now();
  for (auto& host : hosts_) {
    host->recall(flight_.blamed(), now);
    if (const Status noted = host->note_start(now); noted.code() == Code::Io) return noted;
  }
  return restart_history_.sync();
}

/// This was a stop, no failure.
void Agent::note_ends(Now now) {
  for (auto& host : hosts_)
    if (const Status status = host->note_end(now); !status.ok() && status.code() != Code::NotFound)
      log(LogLevel::Warning, "%s: that it was stopped cannot be noted: %s", host->name().c_str(), status.text());
  if (const Status status = restart_history_.sync(); !status.ok()) log(LogLevel::Warning, "%s", status.text());
}

/// For whoever looks at the state later; a full disk stops nothing.
Status Agent::record_config() {
  const Status status = store_->put_value(config_value_name, config_record(*config_));
  return status.code() == Code::Full ? Status() : status;
}

Status Agent::try_restore(const std::string& state_dir_or_savepoint, bool allow_non_restored_state,
                          FunctionRef<void(const std::string& pipeline, Status status, const RestoreReport& report)> visit) {
  SqliteCheckpointStore store;
  WEIR_TRY(store.open(reading_options(state_dir_or_savepoint)));
  for (auto& host : hosts_) {
    Pipeline* pipeline = host->pipeline();
    RestoreReport report;
    const Status status = pipeline->try_restore(store, allow_non_restored_state, clock_.now(), report);
    visit(pipeline->name(), status, report);
  }
  return {};
}

Status Agent::watch_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) return {Code::Io, "cannot create a signal descriptor", errno};
  return reactor_.watch(signals_, poll_in, *this);
}

Status Agent::start(const RunOptions& options) {
  WEIR_TRY(reactor_.open());
  WEIR_TRY(watch_signals());
  storage_ = std::make_unique<StorageThread>(*store_, watch_.storage());
  WEIR_TRY(storage_->start(reactor_));
  BackgroundExecutor* journal = journal_for(*config_);
  reload_->connect(options.paths, options.overrides, reactor_, *storage_, *store_);
  WEIR_TRY(control_.start(reactor_, control_path(config_->specification.agent.state_dir), *this));
  Now now = reactor_.now();
  last_tick_boot_ms_ = now.boot_ms;
  for (auto& host : hosts_) {
    reactor_.add(*host);
    WEIR_TRY(host->start(reactor_, *storage_, journal, now));
  }
  if (control_topic_ != nullptr) WEIR_TRY(control_topic_->start(reactor_, *this, now));
  reactor_.add(*this);
  return {};
}

int Agent::run(const RunOptions& options) {
  // A large message is a large block of libmosquitto's; it goes back to the system at once instead of staying in the heap.
  mallopt(M_MMAP_THRESHOLD, 64 * 1024);
  mallopt(M_TRIM_THRESHOLD, 128 * 1024);
  log(LogLevel::Notice, "weir %s starts as \"%s\", %zu bytes reserved", weir_version, config_->specification.agent.name.c_str(),
      arena_.used());
  if (Status status = watch_.begin(reactor_.pulse()); !status.ok()) return fail("cannot start the watchdog", status);
  const int code = work(options);
  watch_.end();
  flight_.close(code == exit_ok, clock_.now());
  return code;
}

int Agent::work(const RunOptions& options) {
  if (Status status = open_state(); !status.ok()) return fail_to_open(status);
  flight_.open(config_->specification.agent.state_dir, process_start_);
  flight_.begin(hosts_);
  for (auto& host : hosts_) host->board();
  watch_.note_stuck_in(flight_.box());
  watch_.step();
  if (Status status = restore_or_begin_anew(options); !status.ok()) return fail_to_restore(status);
  if (Status status = recall_restarts(); !status.ok()) return fail("cannot note the start", status);
  flight_.restored(clock_.now());
  if (Status status = record_config(); !status.ok()) return fail("cannot note the configuration", status);
  if (Status status = start(options); !status.ok()) return fail("cannot start", status);
  arena_.freeze();
  drop_start_up_pages();
  ready_ = true;
  service_notify("READY=1");
  log(LogLevel::Notice, "ready: %zu pipeline%s", hosts_.size(), hosts_.size() == 1 ? "" : "s");
  heap_guard_arm();
  watch_.reactor_runs();
  Status ended = reactor_.run();
  watch_.reactor_stops();
  heap_guard_disarm();
  if (!ended.ok()) return fail("the reactor stopped", ended);
  return finish();
}

// ---- the end

void Agent::begin_stop(Now now, bool drain) {
  if (stopping_) return;
  stopping_ = true;
  reload_->stop();
  dead_letter_requests_->stop();
  flight_.stopping(now);
  service_notify("STOPPING=1");
  watch_.ask_for_time();
  log(LogLevel::Notice, "stopping: last checkpoint, then goodbye");
  for (auto& host : hosts_) host->stop(now, drain);
}

int Agent::finish() {
  control_.stop();
  if (control_topic_ != nullptr) control_topic_->stop();
  storage_->stop();
  journal_thread_.stop();
  int code = exit_ok;
  for (auto& host : hosts_)
    if (!host->store_failure().ok()) code = exit_failure;
  note_ends(reactor_.now());
  log(LogLevel::Notice,
      code == exit_ok ? "stopped" : "stopped after a failure; the next start recovers from the last checkpoint");
  return code;
}

void Agent::on_turn(Now now) {
  flight_.on_turn(now);
  const bool all_stopped = stopping_ && std::ranges::all_of(hosts_, [](const auto& host) { return host->stopped(); });
  const bool failed = std::ranges::any_of(hosts_, [](const auto& host) { return !host->store_failure().ok(); });
  // A store that failed once is not written again; the process ends, and whoever supervises it starts it anew.
  if (failed) begin_stop(now);
  if (checkpoint_requests_->poll(now)) control_.answer(now);
  if (control_topic_requests_->poll(now)) control_topic_->answer(now);
  dead_letter_requests_->on_turn(now);
  reload_->on_turn(now);
  if (all_stopped && !job_in_flight_ && !savepoint_pages_->busy() && !reload_->busy() && !dead_letter_requests_->busy())
    reactor_.stop();
  last_turn_boot_ms_ = now.boot_ms;
  if (now.boot_ms - last_tick_boot_ms_ < 1000) return;
  last_tick_boot_ms_ = now.boot_ms;
  report_connections();
  control_.on_tick(now);
  savepoint_pages_->on_tick(*storage_, now);
  if (control_topic_ != nullptr) control_topic_->on_tick(now);
  notify_status(now);
  tell_if_all_failed();
}

int64_t Agent::next_deadline_boot_ms() const {
  const int64_t tick_ms = last_tick_boot_ms_ + 1000;
  const int64_t turn_every_ms = watch_.turn_every_ms();
  return turn_every_ms >= 1000 ? tick_ms : std::min(tick_ms, last_turn_boot_ms_ + turn_every_ms);
}

void Agent::report_connections() {
  for (size_t slot = 0; slot < slots_; ++slot) {
    const auto host = std::ranges::find(hosts_, slot, [](const auto& each) { return each->plan().slot; });
    const bool runs = host != hosts_.end() && (*host)->running();
    const uint64_t loops = runs ? (*host)->pipeline()->connection_loops() : 0;
    if (loops != connection_loops_[slot] || !runs) watch_.connections_ran(slot);
    connection_loops_[slot] = loops;
  }
}

/// The agent stays, so that it can be asked and told to go on.
void Agent::tell_if_all_failed() {
  if (all_failed_told_ || !std::ranges::all_of(hosts_, [](const auto& host) { return host->final(); })) return;
  all_failed_told_ = true;
  log(LogLevel::Error, "ALARM: every pipeline has FAILED; nothing runs until one is started with weir resume");
}

/// Tells the service manager how many pipelines are connected, when that has changed.
void Agent::notify_status(Now now) {
  size_t connected = 0;
  for (auto& host : hosts_) {
    PipelineStatus status;
    host->fill_status(status, now);
    if (status.source.connected) ++connected;
  }
  if (connected == connected_told_) return;
  connected_told_ = connected;
  char text[128];
  snprintf(text, sizeof text, "STATUS=%zu of %zu pipelines connected", connected, hosts_.size());
  service_notify(text);
}

void Agent::on_ready(uint32_t, Now now) {
  signalfd_siginfo info;
  while (read(signals_, &info, sizeof info) == sizeof info) {
    switch (info.ssi_signo) {
      case SIGTERM:
      case SIGINT:
        begin_stop(now);
        break;
      case SIGUSR1:
        for (auto& host : hosts_)
          if (host->running()) host->pipeline()->request_checkpoint();
        break;
      default:
        reload_->ask(now);
    }
  }
}

}  // namespace weir
