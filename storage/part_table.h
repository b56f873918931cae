// PartTable: the table `opstate`: the state of a part at each retained checkpoint that it took part in, and which other blobs
// belong to it there. A row is checked by a CRC32C over all of it, so a part's set can be checked from its row alone. Belongs
// to the store; same thread rules as its Database.
#pragma once

#include <array>

#include "agent/model/checkpoint_store.h"
#include "storage/statement.h"

namespace weir {

/// Which blobs are a part's state at a checkpoint, besides the one in its row.
struct PartSet {
  uint64_t blobs = 0;     // their number: chunks, deltas, outbox, session tail
  uint64_t versions = 0;  // the sum of the checkpoints that wrote its chunks: an older version of a chunk is no substitute
  /// By kind, from BlobKind::Base on: blobs of this checkpoint and older ones do not belong to it any more.
  std::array<uint64_t, 4> after{};

  uint64_t& after_of(BlobKind kind) { return after[static_cast<size_t>(kind) - static_cast<size_t>(BlobKind::Base)]; }
  uint64_t after_of(BlobKind kind) const { return after[static_cast<size_t>(kind) - static_cast<size_t>(BlobKind::Base)]; }
};

class PartTable {
 public:
  Status prepare(Database& database);

  Status put(uint32_t op, uint64_t checkpoint_id, const PartSet& set, Bytes bytes);
  /// The row of a checkpoint. Code::NotFound if the part was not in it; Code::Corrupt if its CRC disagrees.
  Status read(uint32_t op, uint64_t checkpoint_id, FunctionRef<Status(const PartSet&, Bytes)> visit);
  /// Checkpoint and set of the newest row, unchecked; 0 if there is none.
  Status newest(uint32_t op, uint64_t& checkpoint_id, PartSet& set);
  /// Deletes the rows of checkpoints later than `after`, up to and including `up_to`.
  Status forget(uint32_t op, uint64_t after, uint64_t up_to);

 private:
  Statement insert_;
  Statement select_;
  Statement newest_;
  Statement delete_;
};

}  // namespace weir
