// The planning of a step that is a window: from its specification to the operator of its kind. Start-up only.
#pragma once

#include "agent/app/plan_steps.h"
#include "agent/operators/evict.h"
#include "agent/operators/window_fields.h"

namespace weir {

/// What every kind of window is made of.
struct WindowParts {
  std::string id;
  std::string pool;
  std::vector<uint32_t> key_fields;
  AggregateSet aggregates;
  Evict evict = Evict::Reject;
};

/// Takes what is wrong with a window to its places in the file; whether nothing is.
bool report(const StepContext& context, const StepSpec& step, const std::vector<WindowFault>& faults);

/// As build_step().
std::unique_ptr<Operator> build_window(const StepContext& context, const StepSpec& step, const std::string& id,
                                       const Schema& input);

}  // namespace weir
