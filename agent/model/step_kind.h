// StepKind: a verb that a [[pipeline.step]] may have, as a constant that its operator's file declares: name, options, words for
// the reference page, and the function that makes the operator. Kinds are registered before the first configuration is read,
// the built-in ones by register_built_in_steps(), an engineer's own by their program; then the registry is read only.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "agent/model/step_options.h"

namespace weir {

class Operator;
class StepBuild;

struct StepKind {
  const char* verb = nullptr;
  const char* documentation = "";
  std::span<const StepOption> options = {};
  /// Keeps state per key: takes `id`, `key_by`, `max_keys` and `evict` beside its verb.
  bool keyed = false;
  /// Says nothing without event time.
  bool needs_event_time = false;
  /// The option that names a second input (a join's); nullptr: there is one input.
  const char* second_input = nullptr;
  /// Is written `operator = "VERB"` with the options in `options = { … }`; for kinds that are not weir's own.
  bool custom = false;
  /// nullptr, with the reasons told to `build`, if the options cannot be.
  std::unique_ptr<Operator> (*make)(StepBuild& build) = nullptr;
};

/// Adds `kind`, which lives as long as the process, unless it is there already. Start-up only, before a configuration is read.
/// Two kinds of one verb are a programmer's error.
void register_step_kind(const StepKind& kind);
/// Takes it back, once no specification names it: for tests.
void unregister_step_kind(const StepKind& kind);
std::span<const StepKind* const> step_kinds();
/// A step of weir's own that this build was made without; `verb` lives as long as the process. Start-up only.
void note_left_out_step(std::string_view verb);
bool step_left_out(std::string_view verb);
/// nullptr if there is none of that name.
const StepKind* find_step_kind(std::string_view verb);

}  // namespace weir
