// FunctionFrame: what the fields and states of one function have in common: the row of the next result and the key in hand.
// Owned by the step, at one place for its life; the handles point to it. Not for use outside of agent/api.
#pragma once

#include <span>

#include "agent/operators/keyed_function.h"

namespace weir {

struct FunctionFrame {
  std::span<Value> row;           // of the next result; taken from the arena when the function has declared its outputs
  KeyContext* context = nullptr;  // for the length of one call

  /// The bytes of one state, which begin at `at`, to look at and to change.
  const uint8_t* peek(uint32_t at) const { return context->peek() + at; }
  uint8_t* edit(uint32_t at) const { return context->state().data() + at; }
};

}  // namespace weir
