#include "agent/operators/late.h"

namespace weir {

bool parse_late(std::string_view text, Late& late) {
  if (text == "drop") {
    late = Late::Drop;
  } else if (text == "side") {
    late = Late::Side;
  } else if (text == "dead-letter") {
    late = Late::DeadLetter;
  } else {
    return false;
  }
  return true;
}

}  // namespace weir
