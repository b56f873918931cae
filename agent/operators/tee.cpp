#include "agent/operators/tee.h"

#include <algorithm>

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
  for (Operator* reader : readers_) {
    const Outcome outcome = reader->process(record);
    if (weight(outcome) > weight(result)) result = outcome;
  }
  return result;
}

bool Tee::ready() const {
  return std::ranges::all_of(readers_, [](const Operator* reader) { return reader->ready(); });
}

}  // namespace weir
