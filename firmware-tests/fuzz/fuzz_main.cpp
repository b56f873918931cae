// What libFuzzer calls: one program per target, WEIR_FUZZ_TARGET. See targets.h.
#include "agent/operators/steps.h"
#include "firmware-tests/fuzz/targets.h"
#include "storage/sqlite_memory.h"

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  weir::register_built_in_steps();
  weir::install_sqlite_memory();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  weir::fuzz::WEIR_FUZZ_TARGET({data, size});
  return 0;
}
