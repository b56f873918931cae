// The stored states of several pipelines, for commands that look at them without an agent.
#pragma once

#include <string>
#include <vector>

#include "agent/runtime/stored_state.h"
#include "storage/checkpoint_store.h"

namespace weir {

/// `pipeline`: empty for all. Code::NotFound if there is none of that name.
Status read_stored_states(SqliteCheckpointStore& store, const std::string& pipeline, std::vector<StoredState>& states);

}  // namespace weir
