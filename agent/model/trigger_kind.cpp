#include "agent/model/trigger_kind.h"

#include <algorithm>
#include <vector>

#include "agent/base/assert.h"

namespace weir {
namespace {

std::vector<const TriggerKind*>& registry() {
  static std::vector<const TriggerKind*> kinds;
  return kinds;
}

}  // namespace

void register_trigger_kind(const TriggerKind& kind) {
  if (std::ranges::find(registry(), &kind) != registry().end()) return;
  WEIR_ASSERT(find_trigger_kind(kind.name) == nullptr);
  registry().push_back(&kind);
}

void unregister_trigger_kind(const TriggerKind& kind) { std::erase(registry(), &kind); }

std::span<const TriggerKind* const> trigger_kinds() { return registry(); }

const TriggerKind* find_trigger_kind(std::string_view name) {
  auto found = std::ranges::find_if(registry(), [&](const TriggerKind* kind) { return kind->name == name; });
  return found == registry().end() ? nullptr : *found;
}

}  // namespace weir
