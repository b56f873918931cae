// What becomes of stored state under a configuration, told on standard output: by `weir check --against` and `weir savepoint
// restore`.
#pragma once

#include <string>

#include "agent/runtime/pipeline.h"

namespace weir {

/// One pipeline: a line and a table of its parts, or one JSON object. `status` and `report` are what Pipeline::try_restore
/// gave.
void print_fit(const std::string& pipeline, Status status, const RestoreReport& report, bool json);

}  // namespace weir
