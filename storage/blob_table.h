// BlobTable: the rows of a BlobKind of which each checkpoint adds some: deltas, outbox, session tail. Which of them belong to a
// checkpoint follows from ids: those of checkpoints later than `after`, up to the checkpoint itself. Belongs to the store;
// same thread rules as its Database.
#pragma once

#include "agent/model/checkpoint_store.h"
#include "storage/statement.h"

namespace weir {

class BlobTable {
 public:
  explicit BlobTable(BlobKind kind) : kind_(kind) {}

  Status prepare(Database& database);

  Status put(const Blob& blob, uint64_t checkpoint_id);
  /// Rows of `op` of checkpoints later than `after`, up to and including `up_to`.
  Status count(uint32_t op, uint64_t after, uint64_t up_to, uint64_t& rows);
  /// The same rows, by checkpoint and index; of them those whose key is larger than `behind`. Code::Corrupt at a CRC that does
  /// not agree.
  Status each(uint32_t op, uint64_t after, uint64_t up_to, FunctionRef<Status(const StoredBlob&)> visit, int64_t behind = 0);
  /// The first of them. Code::NotFound if there is none.
  Status first(uint32_t op, uint64_t after, FunctionRef<Status(const StoredBlob&)> visit);
  /// Deletes them.
  Status forget(uint32_t op, uint64_t after, uint64_t up_to);

 private:
  Status read(const Statement& row, uint32_t op, FunctionRef<Status(const StoredBlob&)> visit) const;

  BlobKind kind_;
  Statement insert_;
  Statement delete_;
  Statement select_;
  Statement count_;
  Statement first_;
};

}  // namespace weir
