// Runs bytecode on one record's values. No heap, no recursion; each instruction is visited at most once.
#pragma once

#include <span>

#include "agent/expression/bytecode.h"

namespace weir {

/// Requires code that verify accepts and at least `code.field_count` values of the types of its schema.
Value evaluate(const Bytecode& code, std::span<const Value> values);

}  // namespace weir
