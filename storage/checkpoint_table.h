// CheckpointTable: one row per completed checkpoint, the newest few of each pipeline. The newest row is the checkpoint: what
// it says about ids and counts is what the blobs are held against. Belongs to the store; same thread rules as its Database.
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
  uint64_t blob_rows = 0;       // of this pipeline in all blob tables when the checkpoint was taken
  Bytes manifest;
};

class CheckpointTable {
 public:
  Status prepare(Database& database);

  Status put(const CheckpointRow& row);
  /// Deletes the rows of checkpoints before `id`.
  Status forget_before(uint32_t pipeline, uint64_t id);
  /// The newest row; the views hold until `visit` returns. Code::NotFound if there is none, Code::Corrupt if its CRC, or its
  /// key, disagrees with its columns.
  Status newest(uint32_t pipeline, FunctionRef<Status(const CheckpointRow&)> visit);
  /// Id and blob_rows of the newest row as they stand there, unchecked; zeros if there is none.
  Status newest_counts(uint32_t pipeline, uint64_t& id, uint64_t& blob_rows);

 private:
  Statement insert_;
  Statement delete_;
  Statement newest_;
};

}  // namespace weir
