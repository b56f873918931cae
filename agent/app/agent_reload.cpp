// What a reload needs of the agent: its room, and a place for what is new.
#include <algorithm>

#include "agent/app/agent.h"
#include "agent/app/plan_restart.h"
#include "agent/app/planner.h"
#include "agent/base/log.h"
#include "storage/lookup_database.h"

namespace weir {

uint64_t Agent::reserved() const {
  uint64_t bytes = arena_.held();
  for (const auto& host : hosts_) bytes += host->own_bytes();
  return bytes;
}

ReloadLimits Agent::reload_limits() const {
  const AgentSpec& agent = config_->specification.agent;
  ReloadLimits limits;
  for (const auto& host : hosts_) limits.pipelines.push_back({host->name(), host->plan().digest});
  limits.agent_name = agent.name;
  limits.state_dir = agent.state_dir;
  limits.watchdog_ms = agent.watchdog;
  limits.control_digest = control_digest(*config_);
  limits.slots = slots_;
  limits.reserved = reserved();
  limits.store = opened_for_;
  limits.sqlite_bytes = sqlite_block_.size() - (lookups_ ? LookupDatabase::memory_bytes : 0);
  limits.commit_ms_max = watch_.disk_bound_ms();
  limits.lookups = lookups_;
  return limits;
}

size_t Agent::free_slot(std::span<const size_t> taken) const {
  size_t slot = 0;
  const auto used = [&](size_t each) {
    return std::ranges::find(taken, each) != taken.end() ||
           std::ranges::any_of(hosts_, [&](const auto& host) { return host->plan().slot == each; });
  };
  while (used(slot)) ++slot;
  return slot;
}

PipelineHost::Plan Agent::host_plan(const std::shared_ptr<LoadedConfig>& config, size_t spec, size_t slot) {
  const PipelineSpec& pipeline = config->specification.pipeline[spec];
  PipelineHost::Plan plan;
  plan.name = pipeline.name;
  plan.fingerprint = pipeline.fingerprint;
  plan.digest = pipeline_digest(*config, pipeline);
  plan.slot = slot;
  plan.restart = restart_rule(pipeline.restart);
  plan.build = [this, config, &pipeline](Arena& arena) { return build_pipeline(*config, pipeline, arena, &journal_thread_); };
  plan.board = [this, slot](Pipeline& built) {
    watch_.name_slot(slot, built.name());
    built.mark_work(watch_.mark(slot));
    flight_.board(built);
  };
  return plan;
}

BackgroundExecutor* Agent::journal_for(const LoadedConfig& config) {
  if (!std::ranges::any_of(config.specification.pipeline, &PipelineSpec::has_journal)) return nullptr;
  if (!journals_run_) {
    if (const Status status = journal_thread_.start(reactor_); !status.ok())
      log(LogLevel::Error, "cannot start the journals' thread: %s", status.text());
    journals_run_ = true;
  }
  return &journal_thread_;
}

bool Agent::hosts_may_change() const {
  return !checkpoint_requests_->waiting() && !control_topic_requests_->waiting() && !savepoint_pages_->busy() &&
         !dead_letter_requests_->busy();
}

void Agent::change_hosts(std::span<PipelineHost* const> out, std::vector<std::unique_ptr<PipelineHost>> in,
                         std::shared_ptr<LoadedConfig> config) {
  for (PipelineHost* old : out) {
    reactor_.remove(*old);
    watch_.name_slot(old->plan().slot, {});
    old->give_back_memory();
    const auto place = std::ranges::find_if(hosts_, [&](const auto& host) { return host.get() == old; });
    const auto same =
        std::ranges::find_if(in, [&](const auto& host) { return host != nullptr && host->name() == old->name(); });
    if (same == in.end()) {
      flight_.leave(old->name());
      hosts_.erase(place);
    } else {
      *place = std::move(*same);
      watch_.name_slot((*place)->plan().slot, (*place)->name());
      reactor_.add(**place);
    }
  }
  for (std::unique_ptr<PipelineHost>& host : in) {
    if (host == nullptr) continue;
    reactor_.add(*host);
    hosts_.push_back(std::move(host));
  }
  flight_.hosts_changed();
  checkpoint_requests_->hosts_changed();
  control_topic_requests_->hosts_changed();
  all_failed_told_ = false;
  connected_told_ = SIZE_MAX;
  config_ = std::move(config);
  set_log_level(log_level_named(config_->specification.agent.log_level));
}

}  // namespace weir
