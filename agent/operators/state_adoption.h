// StateAdoption: keyed state that does not go back into the slots it came from, because it was stored in another layout, by
// another step, or with more slots than there are now: it is loaded beside, converted, and put into slots anew. The whole of it
// counts as changed then; the first checkpoint writes it in the step's own name. Start-up only; uses the heap.
#pragma once

#include "agent/base/function_ref.h"
#include "agent/operators/keyed_state.h"
#include "agent/operators/state_conversion.h"

namespace weir {

/// The slots of stored keyed state, in memory of their own.
class StoredSlots {
 public:
  explicit StoredSlots(const StateLayout& layout) : slot_bytes_(layout.slot_bytes()) {}

  /// `slots` as the part's own blob states. Code::Corrupt if there cannot be so many.
  Status open(uint32_t slots);
  /// Base and delta blobs, in the order that Stateful::restore states.
  Status restore(const StoredBlob& blob);
  uint32_t live() const;
  Status each(FunctionRef<Status(Bytes slot)> visit) const;

 private:
  uint64_t slot_bytes_;
  std::unique_ptr<Arena> arena_;
  std::unique_ptr<KeyedState> state_;
};

class StateAdoption {
 public:
  /// Requires that the conversion is possible().
  StateAdoption(StateLayout from, StateLayout to);

  Status open(uint32_t slots) { return slots_.open(slots); }
  Status restore(const StoredBlob& blob) { return slots_.restore(blob); }
  /// Code::Incompatible if there are more keys than slots, or a value does not fit.
  Status finish(KeyedState& into);

 private:
  StateConversion conversion_;
  StoredSlots slots_;
};

/// What a step with keyed state needs to adopt some: nullptr, and Code::Incompatible, if it cannot be converted.
Status begin_adoption(const StateLayout& from, std::string_view to, std::unique_ptr<StateAdoption>& adoption);

}  // namespace weir
