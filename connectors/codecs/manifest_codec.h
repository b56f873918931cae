// NanopbManifestCodec: a checkpoint's manifest as the protobuf message of connectors/proto/manifest.proto. Stateless, no heap,
// any thread; takes about 4 KiB of stack.
#pragma once

#include "agent/model/manifest.h"

namespace weir {

class NanopbManifestCodec final : public ManifestCodec {
 public:
  /// Requires part_count <= stateful_parts_max. Code::Full appends nothing. Texts are cut at their size if they have no closing
  /// zero.
  Status encode(const Manifest& manifest, ByteWriter& out) override;
  /// Fields that a newer version added are kept as their bytes; Code::Incompatible if there are more than fit. The same for a
  /// format above 1; Code::Corrupt for bytes that are
  /// no manifest, that were cut anywhere, or hold more than the fixed sizes. A reason that is not known becomes None. On an
  /// error `manifest` is as before.
  Status decode(Bytes bytes, Manifest& manifest) override;
};

}  // namespace weir
