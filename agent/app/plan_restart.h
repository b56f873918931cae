// From the options of `restart` to the rule that a strategy follows. Pure.
#pragma once

#include "agent/config/spec.h"
#include "agent/runtime/restart_strategy.h"

namespace weir {

RestartRule restart_rule(const RestartSpec& spec);

}  // namespace weir
