#include "agent/app/version.h"

namespace weir {

const char* const weir_version = WEIR_VERSION;

}  // namespace weir
