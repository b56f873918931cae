// StateConversion: takes keyed state over from one layout into another, slot by slot, where that loses nothing; and says what
// differs, for people. Made at start-up from two layouts; uses the heap; never part of a running pipeline.
//
// Fields are matched by their names, whatever their order. Lossless is:
//   an int that becomes a float, if every stored value is one exactly; a text with a larger bound;
//   key fields in another order, or widened like that;
//   fields of a record that is held: new ones are null, those that are gone are dropped;
//   aggregates: new ones begin empty, those that are gone are dropped, one with the same call under another name is the same
//   one; lists and rings with more room, or with less if what is stored fits; of a ring the newest elements stay.
// Everything else differs in a way that makes stored state meaningless, and is not converted.
#pragma once

#include <memory>

#include "agent/base/bytes.h"
#include "agent/model/state_layout.h"

namespace weir {

struct LayoutDifference {
  std::string text;  // "aggregate highest: new, begins empty"
  bool lossless = true;
};

class StateConversion {
 public:
  StateConversion(StateLayout from, StateLayout to);
  ~StateConversion();

  const StateLayout& from() const { return from_; }
  const StateLayout& to() const { return to_; }
  const std::vector<LayoutDifference>& differences() const { return differences_; }
  bool possible() const;

  /// One slot. Code::Incompatible if a value has no place in the new layout; Code::Corrupt if the bytes are no slot of the old.
  /// Requires possible().
  Status convert(Bytes slot, std::vector<uint8_t>& converted) const;

 private:
  struct Group;
  class Matcher;
  Status convert_group(const Group& group, const uint8_t* from, uint8_t* to) const;
  Status convert_field(const Group& group, size_t index, const uint8_t* from, uint8_t* to) const;
  Status convert_elements(const Group& group, size_t index, const uint8_t* from, uint8_t* to) const;
  Status convert_key(Bytes key, std::vector<uint8_t>& converted) const;

  StateLayout from_;
  StateLayout to_;
  std::unique_ptr<Group> fields_;
  std::vector<size_t> key_from_;  // per key field of `to`
  std::vector<LayoutDifference> differences_;
};

}  // namespace weir
