// Runs bytecode on one record's values. No heap, no recursion; each instruction is visited at most once.
#pragma once

#include <span>

#include "agent/expression/bytecode.h"

namespace weir {

/// Requires code that verify accepts and at least `code.field_count` fields of the types of its schema. `stack` has room for
/// expression_stack_max values and need not be initialised; `code.scratch` has code.scratch_bytes, nullptr will do for none.
Value evaluate(const Bytecode& code, std::span<const Value> fields, Value* stack);

}  // namespace weir
