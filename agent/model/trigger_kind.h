// TriggerKind: a trigger of checkpoints that an engineer's program registers under a name, as it registers steps (step_kind.h):
// a configuration names it by checkpoint = { trigger = "NAME", options = { … } }. Registered before the first configuration is
// read; then the registry is read only.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "agent/model/checkpoint_trigger.h"
#include "agent/model/step_options.h"

namespace weir {

struct TriggerKind {
  const char* name = nullptr;
  const char* documentation = "";
  std::span<const StepOption> options = {};
  /// One for each pipeline that names it. nullptr, with the reason in `problem`, if the options cannot be.
  std::unique_ptr<CheckpointTrigger> (*make)(const StepOptions& options, std::string& problem) = nullptr;
};

/// Adds `kind`, which lives as long as the process, unless it is there already. Start-up only.
void register_trigger_kind(const TriggerKind& kind);
/// Takes it back, once no specification names it: for tests.
void unregister_trigger_kind(const TriggerKind& kind);
std::span<const TriggerKind* const> trigger_kinds();
/// nullptr if there is none of that name.
const TriggerKind* find_trigger_kind(std::string_view name);

}  // namespace weir
