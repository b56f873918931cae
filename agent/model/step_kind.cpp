#include "agent/model/step_kind.h"

#include <algorithm>
#include <vector>

#include "agent/base/assert.h"

namespace weir {
namespace {

std::vector<const StepKind*>& registry() {
  static std::vector<const StepKind*> kinds;
  return kinds;
}

std::vector<std::string_view>& left_out() {
  static std::vector<std::string_view> verbs;
  return verbs;
}

}  // namespace

void register_step_kind(const StepKind& kind) {
  if (std::ranges::find(registry(), &kind) != registry().end()) return;
  WEIR_ASSERT(find_step_kind(kind.verb) == nullptr);
  registry().push_back(&kind);
}

void unregister_step_kind(const StepKind& kind) { std::erase(registry(), &kind); }

std::span<const StepKind* const> step_kinds() { return registry(); }

void note_left_out_step(std::string_view verb) { left_out().push_back(verb); }

bool step_left_out(std::string_view verb) { return std::ranges::find(left_out(), verb) != left_out().end(); }

const StepKind* find_step_kind(std::string_view verb) {
  for (const StepKind* kind : registry())
    if (kind->verb == verb) return kind;
  return nullptr;
}

}  // namespace weir
