// The registered steps (model/step_kind.h) as rows and sections of the option table. Start-up only; what is returned lives as
// long as the process.
#pragma once

#include "agent/config/option.h"
#include "agent/model/step_kind.h"
#include "agent/model/trigger_kind.h"

namespace weir {

/// `own` and then a row per registered verb that is not custom.
std::span<const Option> with_registered_steps(std::span<const Option> own);

/// The options of `kind` as a section whose struct is StepOptions.
const Section& section_of(const StepKind& kind);
/// The same for a registered trigger of checkpoints.
const Section& section_of(const TriggerKind& kind);

}  // namespace weir
