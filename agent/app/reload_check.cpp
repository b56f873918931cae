#include "agent/app/reload_check.h"

#include <algorithm>

#include "agent/app/reload_trial.h"
#include "agent/app/secrets.h"
#include "agent/base/hash.h"
#include "agent/config/quantity.h"

namespace weir {
namespace {

uint64_t text_digest(std::string_view text, uint64_t seed) { return hash64(as_bytes(text), seed); }

uint64_t connection_digest(const Specification& specification, std::string_view name, uint64_t seed) {
  const auto found = std::ranges::find(specification.mqtt, name, &MqttSpec::name);
  if (found == specification.mqtt.end()) return seed;
  Diagnostics nobody;
  uint64_t digest = seed;
  for (const std::string& text :
       {found->url, found->mqtt, found->client_id, found->username, found->password_file, read_password(*found, nobody)})
    digest = text_digest(text, digest);
  for (const int64_t number : {found->keepalive, found->session_expiry}) digest = hash_chain(digest, number);
  return hash_chain(digest, found->max_packet_size);
}

/// What only another start can change.
void refuse_changes_of_the_agent(LoadedConfig& config, const ReloadLimits& limits) {
  const AgentSpec& agent = config.specification.agent;
  const auto refuse = [&](const char* key) {
    config.diagnostics.error(agent.at, 1, std::string("agent.") + key + " cannot be changed while the agent runs",
                             "take the change back, or restart the agent");
  };
  if (agent.name != limits.agent_name) refuse("name");
  if (agent.state_dir != limits.state_dir) refuse("state_dir");
  if (agent.watchdog != limits.watchdog_ms) refuse("watchdog");
  if (control_digest(config) != limits.control_digest) refuse("control");
}

/// What the store and the watchdog were set up for at the start.
void refuse_what_does_not_fit(ReloadCheck& check, const ReloadLimits& limits, std::span<const TrialPipeline> tried) {
  Diagnostics& diagnostics = check.config->diagnostics;
  const Specification& specification = check.config->specification;
  const char* restart = "restart the agent, which makes room for it";
  const auto* trial = tried.data();
  uint64_t added = 0;
  for (PipelineReload& pipeline : check.pipelines) {
    if (!pipeline.is_new()) continue;
    const PipelineSpec& spec = specification.pipeline[pipeline.spec];
    const auto refuse = [&](const std::string& message) {
      diagnostics.error(spec.name_at, spec.name.size(), message, restart);
    };
    pipeline.bytes = trial->bytes;
    added += trial->bytes;
    StoreOptions store = limits.store;
    store.transaction_bytes_max = std::max(store.transaction_bytes_max, trial->transaction_bytes_max);
    store.blob_bytes_max = std::max(store.blob_bytes_max, trial->blob_bytes_max);
    if (SqliteCheckpointStore::memory_bytes(store) > limits.sqlite_bytes)
      refuse("its checkpoints can be so large that the database needs more memory than was set aside for it");
    if (spec.checkpoint.timeout > limits.commit_ms_max)
      refuse("its checkpoint.timeout is longer than what the watchdog allows a commit since the start");
    ++trial;
  }
  if (reads_lookup_tables(specification) && !limits.lookups)
    diagnostics.error(specification.pipeline.front().name_at, 1, "no step has read a table so far", restart);
  if (specification.pipeline.size() > limits.slots)
    diagnostics.error(specification.pipeline.back().name_at, 1,
                      "there are " + std::to_string(specification.pipeline.size()) +
                          " pipelines, and this agent was started with room for " + std::to_string(limits.slots),
                      restart);
  if (limits.reserved + added > specification.agent.memory_limit)
    diagnostics.error(
        specification.agent.memory_limit_at.line == 0 ? specification.agent.at : specification.agent.memory_limit_at, 1,
        "what is new needs " + std::to_string(added) + " bytes beside the " + std::to_string(limits.reserved) +
            " that are reserved, agent.memory_limit is " + std::to_string(specification.agent.memory_limit),
        "raise it, or restart the agent, which needs no room for both");
}

std::string errors_of(const LoadedConfig& config) {
  return config.diagnostics.errors() == 0 ? "" : config.diagnostics.format(config.files, false);
}

std::vector<size_t> new_specs(const ReloadCheck& check) {
  std::vector<size_t> specs;
  for (const PipelineReload& pipeline : check.pipelines)
    if (pipeline.is_new()) specs.push_back(pipeline.spec);
  return specs;
}

}  // namespace

uint64_t pipeline_digest(const LoadedConfig& config, const PipelineSpec& spec) {
  uint64_t digest = spec.fingerprint;
  if (!spec.source.empty()) digest = connection_digest(config.specification, spec.first_source().mqtt.value, digest);
  return connection_digest(config.specification, spec.sink.mqtt.value, digest);
}

uint64_t control_digest(const LoadedConfig& config) {
  const ControlSpec& control = config.specification.agent.control;
  return control.given ? connection_digest(config.specification, control.mqtt.value, text_digest(control.topic.value, 1)) : 0;
}

bool reads_lookup_tables(const Specification& specification) {
  return std::ranges::any_of(specification.pipeline, [](const PipelineSpec& pipeline) {
    return std::ranges::any_of(pipeline.step, [](const StepSpec& step) {
      return step.kind != nullptr && std::string_view(step.kind->verb) == "lookup";
    });
  });
}

const char* pipeline_change_name(PipelineChange change) {
  constexpr const char* names[] = {"unchanged", "changed", "added", "removed"};
  return names[static_cast<size_t>(change)];
}

std::vector<PipelineReload> compare_pipelines(const LoadedConfig& config, std::span<const ReloadLimits::Running> running) {
  const std::vector<PipelineSpec>& specs = config.specification.pipeline;
  std::vector<PipelineReload> pipelines;
  for (const ReloadLimits::Running& each : running) {
    const auto spec = std::ranges::find(specs, each.name, &PipelineSpec::name);
    PipelineReload& pipeline = pipelines.emplace_back();
    pipeline.name = each.name;
    pipeline.change = PipelineChange::Removed;
    if (spec == specs.end()) continue;
    pipeline.spec = static_cast<size_t>(spec - specs.begin());
    pipeline.change = pipeline_digest(config, *spec) == each.digest ? PipelineChange::Unchanged : PipelineChange::Changed;
  }
  for (const PipelineSpec& spec : specs)
    if (std::ranges::find(running, spec.name, &ReloadLimits::Running::name) == running.end())
      pipelines.push_back({PipelineChange::Added, spec.name, static_cast<size_t>(&spec - specs.data()), 0});
  return pipelines;
}

ReloadCheck check_reload(std::span<const std::string> paths, std::span<const std::string> overrides,
                         const ReloadLimits& limits) {
  ReloadCheck check;
  check.config = std::make_shared<LoadedConfig>(load_config(paths, overrides));
  check.error = errors_of(*check.config);
  if (!check.error.empty()) return check;
  refuse_changes_of_the_agent(*check.config, limits);
  check.pipelines = compare_pipelines(*check.config, limits.pipelines);
  const std::vector<size_t> specs = new_specs(check);
  const uint64_t limit = check.config->specification.agent.memory_limit;
  const TrialResult tried = try_to_build(*check.config, specs, limit > limits.reserved ? limit - limits.reserved : 0);
  check.error = tried.error;
  if (tried.error.empty()) {
    refuse_what_does_not_fit(check, limits, tried.pipelines);
    check.error = errors_of(*check.config);
  }
  return check;
}

}  // namespace weir
