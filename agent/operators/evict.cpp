#include "agent/operators/evict.h"

namespace weir {

bool parse_evict(std::string_view text, Evict& evict) {
  if (text == "reject") {
    evict = Evict::Reject;
  } else if (text == "oldest") {
    evict = Evict::Oldest;
  } else if (text == "emit") {
    evict = Evict::Emit;
  } else {
    return false;
  }
  return true;
}

}  // namespace weir
