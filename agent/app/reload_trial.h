// try_to_build: builds pipelines in a child process, which ends afterwards: whatever a configuration asks for, the process that
// runs is not harmed. Any thread; blocks for as long as building takes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "agent/config/load.h"

namespace weir {

struct TrialPipeline {
  uint64_t bytes = 0;  // that it reserves
  uint64_t transaction_bytes_max = 0;
  uint64_t blob_bytes_max = 0;
};

struct TrialResult {
  std::vector<TrialPipeline> pipelines;  // in the order of `specs`
  std::string error;                     // what is wrong, in lines; empty: they can be built
};

/// `specs`: indices of pipelines of the configuration; what must hold among all of them is checked too.
/// `room`: bytes that one may reserve.
TrialResult try_to_build(LoadedConfig& config, std::span<const size_t> specs, uint64_t room);

}  // namespace weir
