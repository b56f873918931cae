// The version, from the one place that states it (CMakeLists.txt).
#pragma once

namespace weir {

extern const char* const weir_version;

}  // namespace weir
