// CRC32C (Castagnoli, RFC 3720 appendix B.4): the check of every stored blob. Uses the processor's instruction where it
// has one, else eight table look-ups at a time. Thread-safe; no state.
#pragma once

#include "agent/base/bytes.h"

namespace weir {

/// The CRC of `bytes`, continuing from `crc`, the value of what came before (0 at the start).
uint32_t crc32c(Bytes bytes, uint32_t crc = 0);

/// The portable way, whatever the processor can do; tests hold the two against each other.
uint32_t crc32c_portable(Bytes bytes, uint32_t crc = 0);

}  // namespace weir
