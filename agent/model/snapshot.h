// Snapshot: what a barrier collects for one checkpoint. Every stateful part copies its changes into the preallocated buffer
// (or lends bytes that it will not touch until the checkpoint is decided) and names what may be forgotten; the store writes it
// all in one transaction. Filled on the reactor thread, read on the storage thread, never both at once.
#pragma once

#include <span>

#include "agent/base/bytes.h"
#include "agent/model/dead_letter.h"

namespace weir {

/// How a blob is keyed and kept. `op` is the number the store gave to the part (see CheckpointStore::operator_number).
enum class BlobKind : uint8_t {
  Operator = 1,     // one per part and checkpoint; replaces the previous one and carries the checkpoint's id
  Base = 2,         // chunk `index` of keyed state; replaces the chunk, tagged with the checkpoint's id
  Delta = 3,        // changes of keyed state since the previous checkpoint; kept until trimmed
  Outbox = 4,       // results to publish; kept until trimmed
  SessionTail = 5,  // newest deliveries; kept until trimmed
};

struct Blob {
  BlobKind kind = BlobKind::Operator;
  uint32_t op = 0;
  uint32_t index = 0;
  Bytes bytes;
};

/// Delete blobs of this kind and part that belong to checkpoints up to and including this id.
struct Trim {
  BlobKind kind = BlobKind::Delta;
  uint32_t op = 0;
  uint64_t up_to_checkpoint = 0;
};

class Snapshot {
 public:
  Snapshot() = default;
  Snapshot(std::span<uint8_t> buffer, std::span<Blob> blobs, std::span<Trim> trims)
      : writer_(buffer), blobs_(blobs), trims_(trims) {}

  void begin(uint64_t checkpoint_id) {
    checkpoint_id_ = checkpoint_id;
    writer_.clear();
    blob_count_ = trim_count_ = 0;
    dead_letters_ = {};
    replayed_letters_ = {};
  }
  uint64_t checkpoint_id() const { return checkpoint_id_; }

  /// Opens a blob; what is put into the returned writer until `close()` is its bytes. One at a time. The buffer is planned
  /// for the worst case: overflowing it is a programmer's error and asserts in close().
  ByteWriter& open(BlobKind kind, uint32_t op, uint32_t index = 0) {
    WEIR_ASSERT(blob_count_ < blobs_.size());
    start_ = writer_.size();
    blobs_[blob_count_] = {kind, op, index, {}};
    return writer_;
  }
  void close() {
    WEIR_ASSERT(!writer_.overflowed());
    blobs_[blob_count_++].bytes = writer_.bytes().subspan(start_);
  }
  /// A blob whose bytes stay where they are; the owner must not touch them until `Stateful::snapshot_done`.
  void lend(BlobKind kind, uint32_t op, uint32_t index, Bytes bytes) {
    WEIR_ASSERT(blob_count_ < blobs_.size());
    blobs_[blob_count_++] = {kind, op, index, bytes};
  }
  void trim(BlobKind kind, uint32_t op, uint64_t up_to_checkpoint) {
    WEIR_ASSERT(trim_count_ < trims_.size());
    trims_[trim_count_++] = {kind, op, up_to_checkpoint};
  }
  void lend_dead_letters(std::span<const DeadLetter> letters) { dead_letters_ = letters; }
  /// Stored letters that this checkpoint takes away, by their ids: they were replayed.
  void lend_replayed_letters(std::span<const int64_t> ids) { replayed_letters_ = ids; }

  std::span<const Blob> blobs() const { return blobs_.first(blob_count_); }
  /// Of all blobs.
  uint64_t bytes() const {
    uint64_t sum = 0;
    for (const Blob& blob : blobs()) sum += blob.bytes.size();
    return sum;
  }
  std::span<const Trim> trims() const { return trims_.first(trim_count_); }
  std::span<const DeadLetter> dead_letters() const { return dead_letters_; }
  std::span<const int64_t> replayed_letters() const { return replayed_letters_; }

 private:
  ByteWriter writer_;
  std::span<Blob> blobs_;
  std::span<Trim> trims_;
  std::span<const DeadLetter> dead_letters_;
  std::span<const int64_t> replayed_letters_;
  size_t blob_count_ = 0;
  size_t trim_count_ = 0;
  size_t start_ = 0;
  uint64_t checkpoint_id_ = 0;
};

}  // namespace weir
