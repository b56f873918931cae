// What the libraries may take on top of what weir reserves: bounds that follow from how weir drives them (facts of their
// documentation and of measurement, named in each line). For `weir plan`.
#pragma once

#include <vector>

#include "agent/base/arena.h"
#include "agent/config/spec.h"

namespace weir {

std::vector<Pool> library_memory(const Specification& specification);

/// What the process may come to: what is reserved, what the libraries may take and the program itself, bytes.
uint64_t whole_memory(const Specification& specification, uint64_t reserved);

}  // namespace weir
