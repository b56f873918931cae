// ChunkTable: the chunks of keyed state, BlobKind::Base. A chunk that is written again gets another row; the older versions
// stay until no retained checkpoint needs them. What a checkpoint has of a chunk is its newest version up to the checkpoint,
// unless that is not later than `after`. Belongs to the store; same thread rules as its Database.
#pragma once

#include "agent/model/checkpoint_store.h"
#include "storage/statement.h"

namespace weir {

class ChunkTable {
 public:
  Status prepare(Database& database);

  Status put(const Blob& blob, uint64_t checkpoint_id);
  /// The checkpoint that wrote the newest version of a chunk; 0 if there is none later than `after`.
  Status newest_version(uint32_t op, uint32_t chunk, uint64_t after, uint64_t& checkpoint_id);
  /// Deletes the versions of a chunk that checkpoint `oldest` and the later ones have a newer one of, the one that checkpoint
  /// `writing` is about to put included.
  Status forget_versions(uint32_t op, uint32_t chunk, uint64_t oldest, uint64_t writing);

  /// How many chunks checkpoint `at` has of `op`, and the sum of the checkpoints that wrote them.
  Status count(uint32_t op, uint64_t after, uint64_t at, uint64_t& chunks, uint64_t& versions);
  /// These chunks in their order; of them those whose key is larger than `behind`. Code::Corrupt at a CRC that does not agree.
  Status each(uint32_t op, uint64_t after, uint64_t at, FunctionRef<Status(const StoredBlob&)> visit, int64_t behind = 0);
  /// Deletes what checkpoints later than `after`, up to and including `up_to`, have written. Walks over all chunks of `op`.
  Status forget(uint32_t op, uint64_t after, uint64_t up_to);

 private:
  Statement insert_;
  Statement newest_;
  Statement delete_versions_;
  Statement delete_all_versions_;
  Statement count_;
  Statement select_;
  Statement delete_;
};

}  // namespace weir
