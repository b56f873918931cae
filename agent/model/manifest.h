// Manifest: what a checkpoint says about itself: ids, layouts, offsets, the account, the configuration it was taken under.
// Stored as a protobuf message (connectors/proto/manifest.proto) so that a later version can read it. Fixed size; filled
// without the heap.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "agent/base/bytes.h"
#include "agent/base/status.h"
#include "agent/model/ledger.h"

namespace weir {

constexpr size_t stateful_parts_max = 32;  // source, sink and up to 30 stateful steps in a pipeline
constexpr size_t name_max = 64;            // bytes of a pipeline's name or a step's id, with the closing zero

enum class CheckpointReason : uint8_t {
  None,
  Interval,
  Records,
  Unacked,
  OutboxFull,
  DeadLettersFull,
  DirtyBytes,
  Session,
  Stop,
  Requested,
  PayloadBytes,
  DirtyKeys,
  OutboxRows,
  EventTime,
  When,
  Trigger,
  JournalFull
};
constexpr CheckpointReason last_checkpoint_reason = CheckpointReason::JournalFull;
/// "interval", "records", ...
const char* checkpoint_reason_name(CheckpointReason reason);

struct ManifestPart {
  char uid[name_max] = {};
  uint32_t op = 0;
  uint64_t layout = 0;  // hash64 of Stateful::layout
  uint64_t checkpoint_id = 0;
};

/// What became of the messages of one of several sources of a pipeline. Redeliveries and what was shed are their connection's,
/// which they share.
struct SourceAccount {
  char name[name_max] = {};
  uint64_t applied = 0;
  uint64_t filtered = 0;
  uint64_t late = 0;
  uint64_t dead_lettered = 0;

  uint64_t received() const { return applied + filtered + late + dead_lettered; }
};
constexpr size_t source_accounts_max = 16;  // of more sources only the first have one

struct Manifest {
  uint32_t format = 1;
  uint64_t checkpoint_id = 0;
  char pipeline[name_max] = {};
  char weir_version[32] = {};
  uint64_t config_fingerprint = 0;
  CheckpointReason reason = CheckpointReason::None;
  int64_t created_wall_ms = 0;
  uint64_t source_offset = 0;
  bool has_watermark = false;
  int64_t watermark_ms = 0;
  Ledger ledger;
  uint32_t part_count = 0;
  std::array<ManifestPart, stateful_parts_max> parts;
  uint32_t source_count = 0;  // 0: there is one, and the ledger is its account
  std::array<SourceAccount, source_accounts_max> sources;
  /// Fields of a newer weir, as they were read: each later checkpoint has them again.
  static constexpr size_t unknown_max = 512;
  uint32_t unknown_bytes = 0;
  std::array<uint8_t, unknown_max> unknown{};
};

/// Upper bound of an encoded manifest, bytes.
constexpr size_t manifest_bytes_max = 8192;

/// The seam to the encoding, which lives with the other codecs.
class ManifestCodec {
 public:
  virtual ~ManifestCodec() = default;
  /// Appends the encoded manifest. Code::Full if it does not fit.
  virtual Status encode(const Manifest& manifest, ByteWriter& out) = 0;
  /// Code::Corrupt if the bytes are no manifest, Code::Incompatible if a newer format.
  virtual Status decode(Bytes bytes, Manifest& manifest) = 0;
};

}  // namespace weir
