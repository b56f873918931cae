// The check that every stored blob carries: a CRC32C over its kind, its key and its bytes, so that neither a changed byte nor
// a row under a wrong key passes. Shared by the tables of blobs. Pure functions.
#pragma once

#include "agent/model/stateful.h"

namespace weir {

uint32_t blob_crc(uint32_t op, const StoredBlob& blob);

/// Code::Corrupt, with the part's number as detail, unless `crc` is the blob's.
Status check_blob_crc(uint32_t op, const StoredBlob& blob, int64_t crc);

}  // namespace weir
