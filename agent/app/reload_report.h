// What a reload has done, or would do, told to whoever asked and to the log.
#pragma once

#include <string>
#include <vector>

#include "agent/app/reload_check.h"
#include "agent/runtime/part_decision.h"

namespace weir {

struct ReloadReport {
  bool dry_run = false;
  std::string error;  // why nothing was changed; empty: it went well
  uint64_t generation = 0;
  int64_t duration_ms = 0;
  struct Entry {
    PipelineChange change = PipelineChange::Unchanged;
    std::string name;
    PartDecisions parts;  // what becomes of stored state; empty: there is none
  };
  std::vector<Entry> pipelines;
};

/// "2 pipelines: 1 changed, 1 unchanged".
std::string reload_summary(const ReloadReport& report);
/// Begins with "refused: " where nothing was changed.
std::string reload_text(const ReloadReport& report);
std::string reload_json(const ReloadReport& report);

}  // namespace weir
