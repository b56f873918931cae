// CheckpointTable: one row per completed checkpoint, the newest few of each pipeline. What a row says about ids and counts is
// what the blobs of its checkpoint are held against. Belongs to the store; same thread rules as its Database.
#pragma once

#include <string_view>

#include "agent/base/bytes.h"
#include "storage/statement.h"

namespace weir {

struct CheckpointRow {
  uint32_t pipeline = 0;
  uint64_t id = 0;
  std::string_view reason;
  int64_t created_wall_ms = 0;
  uint32_t operator_blobs = 0;  // parts that wrote their state in this checkpoint
  uint64_t blob_rows = 0;       // that make up the checkpoint, in all tables of blobs
  Bytes manifest;
};

class CheckpointTable {
 public:
  Status prepare(Database& database);

  Status put(const CheckpointRow& row);
  /// Deletes the rows of checkpoints before `id`.
  Status forget_before(uint32_t pipeline, uint64_t id);
  /// Deletes the rows of checkpoints after `id`.
  Status forget_after(uint32_t pipeline, uint64_t id);
  /// The row of checkpoint `id`; the views hold until `visit` returns. Code::NotFound if there is none, Code::Corrupt if its
  /// CRC, or its key, disagrees with its columns.
  Status read(uint32_t pipeline, uint64_t id, FunctionRef<Status(const CheckpointRow&)> visit);
  /// The ids that the keys of the rows name, newest first, unchecked.
  Status each_id(uint32_t pipeline, FunctionRef<Status(uint64_t id)> visit);

 private:
  Statement insert_;
  Statement delete_;
  Statement select_;
  Statement ids_;
};

}  // namespace weir
