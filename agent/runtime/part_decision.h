// PartDecision: what becomes of each part's stored state at a start: decided from what the checkpoint says about itself before
// anything is changed, and told to a person as a list, by `weir check --against` and by a start that is refused. Start-up only;
// uses the heap.
#pragma once

#include <string>
#include <vector>

#include "agent/operators/state_conversion.h"

namespace weir {

enum class PartFate : uint8_t {
  Match,         // goes back as it was stored
  Converted,     // goes back, taken over into another layout
  New,           // begins empty
  Returned,      // was not in the checkpoint, but its state was kept
  Orphan,        // has no part in the configuration
  Incompatible,  // cannot go back
};
/// "match", "converted", ...
const char* part_fate_name(PartFate fate);

struct PartDecision {
  PartFate fate = PartFate::New;
  std::string uid;
  std::string stored_uid;  // if it was stored under another
  std::vector<LayoutDifference> differences;
  std::string stored;  // layouts, where they differ
  std::string wanted;
  std::string problem;  // of what is incompatible for another reason
  bool kept = false;    // it had left the configuration before
  bool refused = false;
};

using PartDecisions = std::vector<PartDecision>;

/// How the stored layout goes over into the wanted one; fate, differences and texts are set.
PartDecision decide_part(std::string_view uid, std::string_view stored, std::string_view wanted);

/// A line each: "per-minute    converted     aggregate highest: new, begins empty".
std::string decisions_table(const PartDecisions& decisions);
/// [{"part":"per-minute","fate":"converted","differences":[…]}, …]
std::string decisions_json(const PartDecisions& decisions);
/// For those that are refused: both layouts side by side, and the ways out. Empty if none is.
std::string refusal_text(const PartDecisions& decisions);
bool any_refused(const PartDecisions& decisions);

}  // namespace weir
