#include "agent/app/reload.h"

#include <algorithm>

#include "agent/app/config_record.h"
#include "agent/base/crash_point.h"
#include "agent/base/heap_guard.h"
#include "agent/base/log.h"
#include "agent/runtime/service_notify.h"

namespace weir {

bool parse_reload_request(std::string_view words, ReloadRequest& request) {
  while (!words.empty()) {
    const size_t blank = std::min(words.find(' '), words.size());
    const std::string_view word = words.substr(0, blank);
    if (word == "dry-run") {
      request.dry_run = true;
    } else if (word == "allow-non-restored-state") {
      request.allow_non_restored_state = true;
    } else if (word == "json") {
      request.json = true;
    } else {
      return false;
    }
    words.remove_prefix(std::min(blank + 1, words.size()));
  }
  return true;
}

void Reload::connect(std::vector<std::string> paths, std::vector<std::string> overrides, Reactor& reactor,
                     StorageExecutor& storage, SqliteCheckpointStore& store) {
  paths_ = std::move(paths);
  overrides_ = std::move(overrides);
  reactor_ = &reactor;
  storage_ = &storage;
  store_ = &store;
}

// ---- who asks

void Reload::ask(Now now) {
  if (stopping_) return;
  if (busy()) {
    again_ = true;
    return;
  }
  begin({}, nullptr, now);
}

bool Reload::ask(const ReloadRequest& request, TextWriter& out, Now now) {
  if (stopping_) {
    out.append("error: the agent is stopping\n");
    return false;
  }
  if (busy()) {
    next_request_ = request;
    next_out_ = &out;
  } else {
    begin(request, &out, now);
  }
  return true;
}

// ---- building and trying

void Reload::begin(const ReloadRequest& request, TextWriter* out, Now now) {
  HeapScope heap(HeapOwner::Restart);
  request_ = request;
  out_ = out;
  begun_ = now;
  changed_ = false;
  check_ = {};
  limits_ = owner_.reload_limits();
  phase_ = Phase::Building;
  if (!request.dry_run) service_notify("RELOADING=1");
  if (thread_ == nullptr) {
    thread_ = std::make_unique<WorkerThread>("weir-reload", pulse_);
    if (const Status status = thread_->start(*reactor_); !status.ok()) return finish(status.text(), now);
  }
  thread_->submit(*this);
}

void Reload::work() {
  HeapScope heap(HeapOwner::Restart);
  if (phase_ == Phase::Rebuilding) {
    for (Incoming& each : incoming_) each.host->rebuild();
    return;
  }
  check_ = check_reload(paths_, overrides_, limits_);
  if (check_.error.empty()) build_hosts();
}

void Reload::done(Now now) {
  HeapScope heap(HeapOwner::Restart);
  if (stopping_) return finish("the agent is stopping", now);
  if (phase_ == Phase::Rebuilding) return stop_old(now);
  if (!check_.error.empty()) return finish(check_.error, now);
  crash_point("reload.built");
  phase_ = Phase::Trying;
  storage_->submit(store_job_);
}

/// The trial has said how much memory each takes, so that this succeeds. The hosts that run are looked at only: nobody else
/// brings any in or takes any out.
void Reload::build_hosts() {
  std::vector<size_t> taken;
  for (size_t index = 0; index < check_.pipelines.size(); ++index) {
    const PipelineReload& pipeline = check_.pipelines[index];
    if (!pipeline.is_new()) continue;
    const PipelineHost* old = running(pipeline.name);
    const size_t slot = old != nullptr ? old->plan().slot : owner_.free_slot(taken);
    taken.push_back(slot);
    auto arena = std::make_unique<Arena>(static_cast<size_t>(pipeline.bytes));
    auto host =
        std::make_unique<PipelineHost>(owner_.host_plan(check_.config, pipeline.spec, slot), std::move(arena), history_);
    incoming_.push_back({std::move(host), index, {}, {}});
  }
}

void Reload::work_on_store() {
  HeapScope heap(HeapOwner::Restart);
  if (phase_ == Phase::Noting) {
    noted_ = store_->put_value(config_value_name, config_record(*check_.config));
    return;
  }
  store_->look_only(true);
  for (Incoming& each : incoming_)
    each.status = each.host->try_restore(*store_, request_.allow_non_restored_state, begun_, each.report);
  store_->look_only(false);
}

void Reload::on_store_job(Now now) {
  HeapScope heap(HeapOwner::Restart);
  if (phase_ == Phase::Trying) return after_trial(now);
  crash_point("reload.noted");
  if (!noted_.ok()) log(LogLevel::Warning, "the new configuration cannot be noted with the state: %s", noted_.text());
  finish("", now);
}

/// Where a trial has failed: why, in lines; empty: nowhere.
std::string Reload::refusals() const {
  std::string text;
  for (const Incoming& each : incoming_)
    if (!each.status.ok() && each.status.code() != Code::NotFound)
      text += each.host->name() + ": " + (each.report.error.empty() ? each.status.text() : each.report.error) + "\n";
  return text;
}

void Reload::after_trial(Now now) {
  crash_point("reload.tried");
  if (stopping_) return finish("the agent is stopping", now);
  if (const std::string refused = refusals(); !refused.empty()) return finish(refused, now);
  if (request_.dry_run) return finish("", now);
  phase_ = Phase::Rebuilding;
  thread_->submit(*this);
}

// ---- the swap

PipelineHost* Reload::running(std::string_view name) const {
  const auto found = std::ranges::find_if(hosts_, [&](const auto& host) { return host->name() == name; });
  return found == hosts_.end() ? nullptr : found->get();
}

std::vector<PipelineHost*> Reload::leaving() const {
  std::vector<PipelineHost*> hosts;
  for (const PipelineReload& pipeline : check_.pipelines)
    if (pipeline.leaves()) hosts.push_back(running(pipeline.name));
  return hosts;
}

void Reload::stop_old(Now now) {
  crash_point("reload.stop");
  phase_ = Phase::Stopping;
  for (PipelineHost* host : leaving()) host->stop(now, false);
}

void Reload::on_turn(Now now) {
  HeapScope heap(HeapOwner::Restart);
  if (phase_ == Phase::Idle) thread_.reset();
  if (phase_ == Phase::Stopping) retire_old(now);
  if (phase_ == Phase::Entering) swap_when_entered(now);
}

void Reload::retire_old(Now now) {
  bool all = true;
  for (PipelineHost* host : leaving()) {
    if (host->stopped() && !host->retired()) host->retire(now);
    all &= host->retired();
  }
  if (!all) return;
  if (stopping_) return finish("the agent is stopping", now);
  enter_new(now);
}

void Reload::enter_new(Now now) {
  crash_point("reload.stopped");
  phase_ = Phase::Entering;
  BackgroundExecutor* journal = owner_.journal_for(*check_.config);
  for (Incoming& each : incoming_) each.host->enter(*reactor_, *storage_, journal, request_.allow_non_restored_state, now);
}

void Reload::swap_when_entered(Now now) {
  if (std::ranges::any_of(incoming_, [](const Incoming& each) { return each.host->entering(); })) return;
  const bool all = std::ranges::all_of(incoming_, [](const Incoming& each) { return each.host->entered(); });
  if (!all || stopping_) return go_back(now);
  if (!owner_.hosts_may_change()) return;
  crash_point("reload.entered");
  std::vector<std::unique_ptr<PipelineHost>> in;
  std::vector<PipelineHost*> started;
  for (Incoming& each : incoming_) {
    started.push_back(each.host.get());
    in.push_back(std::move(each.host));
  }
  owner_.change_hosts(leaving(), std::move(in), check_.config);
  for (PipelineHost* host : started) host->launch(now);
  ++generation_;
  changed_ = true;
  crash_point("reload.swapped");
  phase_ = Phase::Noting;
  storage_->submit(store_job_);
}

/// What could not be foreseen: the old ones go on from their last checkpoint.
void Reload::go_back(Now now) {
  std::string text;
  for (const Incoming& each : incoming_)
    if (!each.host->entered()) text += each.host->name() + ": " + each.host->entry_error() + "\n";
  if (stopping_) return finish("the agent is stopping", now);
  for (PipelineHost* host : leaving()) host->start_again(now);
  finish(text, now);
}

// ---- the answer

/// The thread is let go of in a later turn: this may be called by it.
void Reload::finish(const std::string& error, Now now) {
  if (!request_.dry_run) service_notify("READY=1");
  const ReloadReport report = report_of(error, now);
  if (out_ == nullptr || changed_) log_report(report);
  const bool asked = out_ != nullptr;
  if (asked) out_->append(request_.json ? reload_json(report) : reload_text(report));
  out_ = nullptr;
  incoming_.clear();
  check_ = {};
  phase_ = Phase::Idle;
  if (asked) control_.answer(now);
  serve_next(now);
}

void Reload::serve_next(Now now) {
  if (next_out_ != nullptr) {
    TextWriter* out = next_out_;
    next_out_ = nullptr;
    // Whoever has asked by a signal meanwhile is served by it too, unless it only looks.
    again_ = again_ && next_request_.dry_run;
    begin(next_request_, out, now);
  } else if (again_) {
    again_ = false;
    begin({}, nullptr, now);
  }
}

ReloadReport Reload::report_of(const std::string& error, Now now) const {
  ReloadReport report;
  report.dry_run = request_.dry_run;
  report.error = error;
  report.generation = generation_;
  report.duration_ms = now.boot_ms - begun_.boot_ms;
  for (const PipelineReload& pipeline : check_.pipelines) report.pipelines.push_back({pipeline.change, pipeline.name, {}});
  for (const Incoming& each : incoming_) report.pipelines[each.index].parts = each.report.parts;
  return report;
}

void Reload::log_report(const ReloadReport& report) {
  const LogLevel level = report.error.empty() ? LogLevel::Notice : LogLevel::Error;
  const std::string text = reload_text(report);
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    log(level, "reload: %.*s", static_cast<int>(end - begin), text.data() + begin);
    begin = end + 1;
  }
}

}  // namespace weir
