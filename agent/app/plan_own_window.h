// The planning of windows of a key's own: sessions, counts, states and sliding windows. Start-up only.
#pragma once

#include "agent/app/plan_window.h"

namespace weir {

/// nullptr, with the reasons in the diagnostics, if the step cannot be; nullptr also for a window of no known kind, which was
/// reported when the file was read.
std::unique_ptr<Operator> build_own_window(const StepContext& context, const StepSpec& step, WindowParts parts,
                                           const Schema& input);

}  // namespace weir
