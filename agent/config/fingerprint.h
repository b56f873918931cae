// The fingerprint of a pipeline's configuration: it changes when the meaning of the table as written changes, and only then.
#pragma once

#include <cstdint>

#include "agent/config/toml_document.h"

namespace weir {

/// hash64 of the table's keys and values, whatever their order, spacing, notation and comments.
uint64_t table_fingerprint(const Node& table);

}  // namespace weir
