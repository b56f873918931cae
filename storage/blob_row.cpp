#include "storage/blob_row.h"

#include <array>

#include "agent/base/crc32c.h"

namespace weir {
namespace {

constexpr std::array<const char*, 5> crc_disagrees{"the state of a part fails its CRC", "a base chunk fails its CRC",
                                                   "a delta fails its CRC", "a blob of the outbox fails its CRC",
                                                   "a blob of the session tail fails its CRC"};

}  // namespace

uint32_t blob_crc(uint32_t op, const StoredBlob& blob) {
  std::array<uint8_t, 32> memory;
  ByteWriter header(memory);
  header.put(static_cast<uint8_t>(blob.kind));
  header.put(op);
  header.put(blob.index);
  header.put(blob.checkpoint_id);
  header.put(uint64_t{blob.bytes.size()});
  return crc32c(blob.bytes, crc32c(header.bytes()));
}

Status check_blob_crc(uint32_t op, const StoredBlob& blob, int64_t crc) {
  if (int64_t{blob_crc(op, blob)} == crc) return {};
  return {Code::Corrupt, crc_disagrees[static_cast<size_t>(blob.kind) - 1], static_cast<int>(op)};
}

}  // namespace weir
