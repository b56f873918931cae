// check_reload: the first half of a reload, which touches nothing that runs: reads the configuration, compares it with the
// pipelines that there are, and finds out whether what is new can be built and fits. Building is tried in a child process, for
// a pipeline may ask for more memory than there is; what the child says makes sure that building it here will succeed.
// Any thread; uses the heap, and blocks for as long as building takes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/config/load.h"
#include "storage/checkpoint_store.h"

namespace weir {

/// A number that is another one when anything changes that the pipeline is built from: its own table, its connections and their
/// passwords.
uint64_t pipeline_digest(const LoadedConfig& config, const PipelineSpec& spec);

/// What a running agent cannot change, and has room for.
struct ReloadLimits {
  struct Running {
    std::string name;
    uint64_t digest = 0;
  };
  std::vector<Running> pipelines;
  std::string agent_name;
  std::string state_dir;
  int64_t watchdog_ms = 0;
  uint64_t control_digest = 0;  // of the control topic, see control_digest()
  size_t slots = 0;             // pipelines that there can be
  uint64_t reserved = 0;        // bytes, of the whole agent
  StoreOptions store;           // what the store was opened for
  uint64_t sqlite_bytes = 0;    // what was set aside for it
  int64_t commit_ms_max = 0;    // INT64_MAX: any time
  bool lookups = false;         // room for reading tables from SQLite files
};

/// The control topic and its connection; 0: there is none.
uint64_t control_digest(const LoadedConfig& config);
/// Whether a step reads a table, which may be a SQLite file.
bool reads_lookup_tables(const Specification& specification);

enum class PipelineChange : uint8_t { Unchanged, Changed, Added, Removed };
const char* pipeline_change_name(PipelineChange change);

struct PipelineReload {
  PipelineChange change = PipelineChange::Unchanged;
  std::string name;
  size_t spec = 0;     // its index in the new configuration; not of what is removed
  uint64_t bytes = 0;  // that it reserves; of what is changed or added

  /// Whether one of this name is built anew, and whether one goes.
  bool is_new() const { return change == PipelineChange::Changed || change == PipelineChange::Added; }
  bool leaves() const { return change == PipelineChange::Changed || change == PipelineChange::Removed; }
};

struct ReloadCheck {
  std::shared_ptr<LoadedConfig> config;
  std::vector<PipelineReload> pipelines;  // those that run in their order, then those that are added
  std::string error;                      // in lines, each with its end; empty: it can be built
};

/// Compares only: the changes, in the order of ReloadCheck::pipelines.
std::vector<PipelineReload> compare_pipelines(const LoadedConfig& config, std::span<const ReloadLimits::Running> running);

ReloadCheck check_reload(std::span<const std::string> paths, std::span<const std::string> overrides,
                         const ReloadLimits& limits);

}  // namespace weir
