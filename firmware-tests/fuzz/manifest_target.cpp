#include <algorithm>
#include <array>
#include <memory>

#include "connectors/codecs/manifest_codec.h"
#include "firmware-tests/fuzz/targets.h"

namespace weir::fuzz {

void manifest(Bytes input) {
  NanopbManifestCodec codec;
  const auto read = std::make_unique<Manifest>();
  if (!codec.decode(input, *read).ok()) return;
  std::array<uint8_t, manifest_bytes_max> written;
  ByteWriter out(written);
  const Status encoded = codec.encode(*read, out);
  WEIR_ASSERT(encoded.ok());
  const auto again = std::make_unique<Manifest>();
  const Status decoded = codec.decode(out.bytes(), *again);
  WEIR_ASSERT(decoded.ok() && again->checkpoint_id == read->checkpoint_id && again->part_count == read->part_count);
  std::array<uint8_t, manifest_bytes_max> rewritten;
  ByteWriter more(rewritten);
  WEIR_ASSERT(codec.encode(*again, more).ok());
  WEIR_ASSERT(std::ranges::equal(out.bytes(), more.bytes()));
}

}  // namespace weir::fuzz
