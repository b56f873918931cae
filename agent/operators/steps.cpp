#include "agent/operators/steps.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "agent/base/assert.h"
#include "agent/base/name_list.h"

namespace weir {
namespace {

constexpr NameList left_out(WEIR_WITHOUT_STEPS);

struct BuiltIn {
  std::string_view verb;
  const StepKind* kind;  // nullptr: left out, and with it all its code
};

constexpr BuiltIn step(const char* verb, const StepKind& kind) { return {verb, left_out.has(verb) ? nullptr : &kind}; }

// clang-format off
constexpr BuiltIn built_in[] = {
    step("absence", absence_step),
    step("alarm", alarm_step),
    step("deadband", deadband_step),
    step("debounce", debounce_step),
    step("dedup", dedup_step),
    step("derive", derive_step),
    step("distinct", distinct_step),
    step("edge", edge_step),
    step("fill", fill_step),
    step("gather", gather_step),
    step("hold", hold_step),
    step("join", join_step),
    step("lookup", lookup_step),
    step("pattern", pattern_step),
    step("range", range_step),
    step("regress", regress_step),
    step("resample", resample_step),
    step("sample", sample_step),
    step("smooth", smooth_step),
    step("sort", sort_step),
    step("throttle", throttle_step),
    step("top", top_step),
    step("unnest", unnest_step),
    step("zscore", zscore_step),
};
// clang-format on

constexpr bool is_step(std::string_view name) {
  return std::ranges::find(built_in, name, &BuiltIn::verb) != std::end(built_in);
}

static_assert(left_out.all(is_step), "WEIR_WITHOUT_STEPS names a step that there is not; docs/steps.md lists them");

}  // namespace

void register_built_in_steps() {
  for (const BuiltIn& each : built_in) {
    if (each.kind == nullptr) {
      note_left_out_step(each.verb);
      continue;
    }
    WEIR_ASSERT(each.verb == each.kind->verb);
    register_step_kind(*each.kind);
  }
}

}  // namespace weir
