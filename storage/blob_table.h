// BlobTable: the rows of one BlobKind. Every row carries a CRC32C over its kind, its key and its bytes, so that neither a
// changed byte nor a row under a wrong key passes. Belongs to the store; same thread rules as its Database.
#pragma once

#include "agent/model/checkpoint_store.h"
#include "storage/statement.h"

namespace weir {

class BlobTable {
 public:
  explicit BlobTable(BlobKind kind) : kind_(kind) {}

  Status prepare(Database& database);

  /// Writes the blob of `checkpoint_id`; true if that added a row, false if it replaced one.
  Result<bool> put(const Blob& blob, uint64_t checkpoint_id);
  /// Deletes the rows of `op` up to and including this checkpoint; how many.
  Result<uint64_t> trim(uint32_t op, uint64_t up_to_checkpoint);
  /// The rows of `op` in the order of Stateful::restore. Code::Corrupt, with the part's number as detail, at a CRC that does
  /// not agree or a row of a checkpoint later than `newest`.
  Status each(uint32_t op, uint64_t newest, FunctionRef<Status(const StoredBlob&)> visit);
  /// The checkpoint that the state of `op` belongs to, unchecked; 0 if there is none. Requires BlobKind::Operator.
  Status checkpoint_of(uint32_t op, uint64_t& checkpoint_id);
  /// The first row of `op` of a checkpoint later than `after`. Requires BlobKind::Outbox. Code::NotFound if there is none.
  Status first_after(uint32_t op, uint64_t after, FunctionRef<Status(const StoredBlob&)> visit);

 private:
  /// Delta, outbox and session tail: each checkpoint adds rows. The others replace theirs.
  bool keyed_by_checkpoint() const;
  int64_t key(uint32_t op, uint64_t checkpoint_id, uint32_t index) const;
  int64_t last_key(uint32_t op) const;
  Status read(const Statement& row, uint32_t op, FunctionRef<Status(const StoredBlob&)> visit) const;

  BlobKind kind_;
  Database* database_ = nullptr;
  Statement update_;
  Statement insert_;
  Statement delete_;
  Statement select_;
  Statement next_;
};

}  // namespace weir
