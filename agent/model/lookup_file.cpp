#include "agent/model/lookup_file.h"

namespace weir {
namespace {

LookupOpener& registered() {
  static LookupOpener opener = nullptr;
  return opener;
}

}  // namespace

void set_lookup_opener(LookupOpener opener) { registered() = opener; }
LookupOpener lookup_opener() { return registered(); }

}  // namespace weir
