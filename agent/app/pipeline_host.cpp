#include "agent/app/pipeline_host.h"

#include <algorithm>

#include "agent/base/hash.h"
#include "agent/base/heap_guard.h"
#include "agent/base/log.h"

namespace weir {
namespace {

/// A job that is done may hand in the next one; after so many rounds over both threads a pipeline that has failed has none.
constexpr uint32_t fences_min = 3;

}  // namespace

PipelineHost::PipelineHost(Plan plan, Arena& arena, RestartHistory& history)
    : plan_(std::move(plan)),
      arena_(arena),
      history_(history),
      arena_from_(arena.used()),
      strategy_(plan_.restart, hash64(as_bytes(plan_.name))) {
  pipeline_ = plan_.build(arena);
  arena_to_ = arena.used();
  record_.fingerprint = plan_.fingerprint;
}

PipelineHost::PipelineHost(Plan plan, std::unique_ptr<Arena> arena, RestartHistory& history)
    : PipelineHost(std::move(plan), *arena, history) {
  own_arena_ = std::move(arena);
}

// ---- the start of the process

Status PipelineHost::restore(CheckpointStore& store, bool allow_non_restored_state, Now now, RestoreReport& report) {
  allow_non_restored_state_ = allow_non_restored_state;
  WEIR_TRY(pipeline_->restore(store, allow_non_restored_state, now, report));
  number_ = pipeline_->number();
  report_.checkpoint_id = report.checkpoint_id;
  restored_ = true;
  return {};
}

/// It could be built from the same configuration a moment ago.
void PipelineHost::rebuild() {
  HeapScope heap(HeapOwner::Restart);
  pipeline_.reset();
  const bool built = build();
  WEIR_ASSERT(built);
}

void PipelineHost::recall(std::string_view blamed, Now now) {
  RestartRecord record;
  const LastRun last = history_.recall(plan_.name, now, record);
  due_boot_ms_ = now.boot_ms;
  if (last == LastRun::Unknown) return;
  strategy_.set_state(record.state);
  record_.cause = record.cause;
  // Whoever has changed the configuration has seen why.
  if (record.fingerprint != plan_.fingerprint) forgive();
  if (last == LastRun::Died && blamed == plan_.name) {
    decide("the process died at one of its messages", false, now);
  } else if (last == LastRun::Died && blamed.empty()) {
    decide("the process ended while it ran", false, now);
  }
  if (strategy_.terminal()) {
    phase_ = Phase::Final;
    log(LogLevel::Error, "ALARM: %s: FAILED, it is not started; the last failure: %s; to start it: weir resume --pipeline %s",
        plan_.name.c_str(), record_.cause.data(), plan_.name.c_str());
    return;
  }
  due_boot_ms_ = now.boot_ms + strategy_.wait_ms(now.boot_ms);
}

Status PipelineHost::note_start(Now now) {
  record_.state = strategy_.state();
  record_.running = phase_ != Phase::Final && due_boot_ms_ <= now.boot_ms;
  return history_.put(plan_.name, record_, now);
}

Status PipelineHost::start(Poller& poller, StorageExecutor& storage, BackgroundExecutor* journal, Now now) {
  poller_ = &poller;
  storage_ = &storage;
  journal_ = journal;
  if (phase_ == Phase::Final) return {};
  if (due_boot_ms_ > now.boot_ms) {
    phase_ = Phase::Waiting;
    return {};
  }
  return run_pipeline(now);
}

Status PipelineHost::run_pipeline(Now now) {
  phase_ = Phase::Running;
  if (forgiven_) pipeline_->forget_poison();
  forgiven_ = false;
  return pipeline_->start(*poller_, *storage_, now);
}

// ---- failures

void PipelineHost::on_turn(Now now) {
  if (phase_ == Phase::Running) {
    pipeline_->on_turn(now);
    if (!pipeline_->failure().ok() && !pipeline_->store_failed() && !stopping_) on_failure(pipeline_->failure(), now);
  } else if (phase_ == Phase::Waiting && now.boot_ms >= due_boot_ms_) {
    begin(now);
  }
}

int64_t PipelineHost::next_deadline_boot_ms() const {
  if (phase_ == Phase::Running) return pipeline_->next_deadline_boot_ms();
  return phase_ == Phase::Waiting ? due_boot_ms_ : INT64_MAX;
}

void PipelineHost::on_failure(Status cause, Now now) {
  decide(cause.text(), pipeline_->unrecoverable(), now);
  phase_ = Phase::Leaving;
  fences_ = 0;
  note(false, now);
}

/// Asks the strategy, and says what it says.
void PipelineHost::decide(std::string_view cause, bool unrecoverable, Now now) {
  record_.set_cause(cause);
  failed_boot_ms_ = now.boot_ms;
  if (unrecoverable) strategy_.give_up(now.boot_ms);
  const RestartDecision decision = strategy_.on_failure(now.boot_ms);
  due_boot_ms_ = decision.at_ms;
  const unsigned long long failures = strategy_.state().failures;
  if (decision.verdict == RestartVerdict::Final) {
    log(LogLevel::Error, "ALARM: %s: failure %llu: %s; %s allows no further restart; to start it: weir resume --pipeline %s",
        plan_.name.c_str(), failures, record_.cause.data(),
        unrecoverable ? "such a failure" : restart_kind_name(plan_.restart.kind), plan_.name.c_str());
  } else {
    log(LogLevel::Warning, "%s: failure %llu: %s; it starts again in %lld ms (%s)", plan_.name.c_str(), failures,
        record_.cause.data(), static_cast<long long>(strategy_.wait_ms(now.boot_ms)), restart_kind_name(plan_.restart.kind));
  }
}

/// What is written goes through the storage thread, and behind it lies every job that the pipeline had there.
void PipelineHost::note(bool running, Now now) {
  record_.state = strategy_.state();
  record_.running = running;
  job_now_ = now;
  storage_->submit(*this);
}

void PipelineHost::run(CheckpointStore& store) {
  HeapScope heap(HeapOwner::Restart);
  if (phase_ == Phase::Entering) note_status_ = history_.admit(plan_.name);
  if (note_status_.ok() && (phase_ != Phase::Leaving || fences_ == 0)) {
    note_status_ = history_.put(plan_.name, record_, job_now_);
    if (note_status_.ok()) note_status_ = history_.sync();
  }
  if (phase_ == Phase::Restoring || phase_ == Phase::Entering) {
    report_ = {};
    job_status_ = pipeline_->restore(store, allow_non_restored_state_, job_now_, report_);
  }
}

void PipelineHost::done(Now now) {
  if (!note_status_.ok() && note_status_.code() != Code::NotFound)
    log(LogLevel::Warning, "%s: its restarts cannot be noted: %s (%d)", plan_.name.c_str(), note_status_.text(),
        note_status_.detail());
  note_status_ = {};
  if (phase_ == Phase::Restoring) return on_restored(now);
  if (phase_ == Phase::Entering) return on_entered(now);
  if (phase_ == Phase::Noting) return launch(now);
  if (journal_ != nullptr) return journal_->submit(journal_fence_);
  on_fence(now);
}

void PipelineHost::on_fence(Now now) {
  if (++fences_ < fences_min || pipeline_->has_jobs()) return storage_->submit(*this);
  tear_down(now);
}

/// Its connections close without a goodbye and without an acknowledgement: the broker keeps what was not acknowledged.
void PipelineHost::tear_down(Now now) {
  HeapScope heap(HeapOwner::Restart);
  pipeline_->fill_status(last_, now);
  last_.name = plan_.name;
  last_.reason_count = 0;
  last_.source.connected = last_.sink.connected = false;
  last_.recovery.lost = {};
  last_.sources = {};
  pipeline_.reset();
  restored_ = false;
  phase_ = stopping_ ? Phase::Stopped : strategy_.terminal() ? Phase::Final : Phase::Waiting;
}

// ---- the next start

bool PipelineHost::build() {
  HeapScope heap(HeapOwner::Restart);
  Arena again(arena_, arena_from_, arena_to_);
  pipeline_ = plan_.build(again);
  restored_ = false;
  return pipeline_ != nullptr;
}

void PipelineHost::begin(Now now) {
  if (pipeline_ == nullptr && !build()) {
    decide("it cannot be built from its configuration any more", false, now);
    phase_ = strategy_.terminal() ? Phase::Final : Phase::Waiting;
    return;
  }
  if (!restored_) board();
  phase_ = restored_ ? Phase::Noting : Phase::Restoring;
  note(true, now);
}

void PipelineHost::on_restored(Now now) {
  if (job_status_.ok()) {
    if (!report_.lost.empty()) log(LogLevel::Error, "%s: %s", plan_.name.c_str(), report_.lost.c_str());
    pipeline_->set_recovery_times(failed_boot_ms_, 0, now.boot_ms - job_now_.boot_ms);
    restored_ = true;
    launch(now);
    return;
  }
  log(LogLevel::Error, "%s: cannot recover: %s", plan_.name.c_str(),
      report_.error.empty() ? job_status_.text() : report_.error.c_str());
  if (is_store_failure(job_status_)) {
    store_failure_ = job_status_;
    phase_ = Phase::Stopped;
    return;
  }
  on_failure(job_status_, now);
}

void PipelineHost::launch(Now now) {
  if (stopping_) {
    phase_ = Phase::Stopped;
    return;
  }
  HeapScope heap(HeapOwner::Restart);
  const Status status = run_pipeline(now);
  if (!status.ok()) return on_failure(status, now);
  log(LogLevel::Notice, "%s: started again from checkpoint %llu", plan_.name.c_str(),
      static_cast<unsigned long long>(report_.checkpoint_id));
}

bool PipelineHost::resume(Now now) {
  if (phase_ != Phase::Final && phase_ != Phase::Waiting) return false;
  forgive();
  due_boot_ms_ = now.boot_ms;
  phase_ = Phase::Waiting;
  return true;
}

/// Somebody has looked at it.
void PipelineHost::forgive() {
  strategy_.resume();
  forgiven_ = true;
}

// ---- a reload

void PipelineHost::enter(Poller& poller, StorageExecutor& storage, BackgroundExecutor* journal, bool allow_non_restored_state,
                         Now now) {
  poller_ = &poller;
  storage_ = &storage;
  journal_ = journal;
  allow_non_restored_state_ = allow_non_restored_state;
  failed_boot_ms_ = now.boot_ms;
  forgiven_ = true;  // whoever has changed the configuration has seen what was wrong
  board();
  phase_ = Phase::Entering;
  note(true, now);
}

void PipelineHost::on_entered(Now now) {
  if (is_store_failure(job_status_)) store_failure_ = job_status_;
  if (!job_status_.ok() || stopping_) {
    phase_ = Phase::Stopped;
    return;
  }
  if (!report_.lost.empty()) log(LogLevel::Error, "%s: %s", plan_.name.c_str(), report_.lost.c_str());
  pipeline_->set_recovery_times(failed_boot_ms_, 0, now.boot_ms - job_now_.boot_ms);
  number_ = pipeline_->number();
  restored_ = true;
  phase_ = Phase::Entered;
}

void PipelineHost::retire(Now now) {
  if (phase_ == Phase::Running) {
    phase_ = Phase::Leaving;
    fences_ = 0;
    note(false, now);
  } else if (phase_ == Phase::Stopped && pipeline_ != nullptr) {
    HeapScope heap(HeapOwner::Restart);
    pipeline_.reset();
    restored_ = false;
  }
}

void PipelineHost::start_again(Now now) {
  stopping_ = false;
  due_boot_ms_ = now.boot_ms;
  phase_ = strategy_.terminal() ? Phase::Final : Phase::Waiting;
}

// ---- the end

void PipelineHost::stop(Now now, bool drain) {
  stopping_ = true;
  if (phase_ == Phase::Running) {
    pipeline_->stop(now, drain);
  } else if (phase_ == Phase::Waiting || phase_ == Phase::Final || phase_ == Phase::Built || phase_ == Phase::Entered) {
    phase_ = Phase::Stopped;
  }
}

bool PipelineHost::stopped() const {
  return phase_ == Phase::Stopped ||
         (phase_ == Phase::Running && pipeline_->stopped() && (stopping_ || pipeline_->store_failed()));
}

Status PipelineHost::store_failure() const {
  if (phase_ == Phase::Running && pipeline_->store_failed()) return pipeline_->failure();
  return store_failure_;
}

Status PipelineHost::note_end(Now now) {
  record_.state = strategy_.state();
  record_.running = !store_failure().ok();
  return history_.put(plan_.name, record_, now);
}

void PipelineHost::fill_status(PipelineStatus& status, Now now) const {
  constexpr const char* phases[] = {"built",     "running", "failed",  "waiting",   "restoring",
                                    "restoring", "FAILED",  "stopped", "restoring", "restored"};
  status = last_;
  if (Pipeline* running = pipeline()) running->fill_status(status, now);
  status.name = plan_.name;
  if (phase_ != Phase::Running) {
    status.state = phases[static_cast<size_t>(phase_)];
    status.error = "";
  }
  status.restart.strategy = restart_kind_name(plan_.restart.kind);
  status.restart.failures = strategy_.state().failures;
  status.restart.cause = record_.cause.data();
  status.restart.next_in_ms = phase_ == Phase::Waiting ? std::max<int64_t>(0, due_boot_ms_ - now.boot_ms) : -1;
}

}  // namespace weir
