#include "agent/operators/tee.h"

#include <algorithm>

#include "agent/base/hash.h"

namespace weir {
namespace {

int weight(Outcome outcome) {
  switch (outcome) {
    case Outcome::DeadLetter:
      return 3;
    case Outcome::Applied:
      return 2;
    case Outcome::Late:
      return 1;
    case Outcome::Filtered:
      return 0;
  }
  return 0;
}

}  // namespace

Outcome Tee::process(const Record& record) {
  Outcome result = Outcome::Filtered;
  Record copy = record;
  for (size_t index = 0; index < readers_.size(); ++index) {
    // What the readers make of one record may come together again: each copy has an identity of its own.
    if (index > 0) copy.identity = hash_chain(record.identity, index);
    const Outcome outcome = readers_[index]->process(copy);
    if (weight(outcome) > weight(result)) result = outcome;
  }
  return result;
}

bool Tee::ready() const {
  return std::ranges::all_of(readers_, [](const Operator* reader) { return reader->ready(); });
}

}  // namespace weir
