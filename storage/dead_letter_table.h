// DeadLetterTable: the messages set aside, of all pipelines. They have no CRC: no state rests on them. Belongs to the store;
// same thread rules as its Database.
#pragma once

#include "agent/model/checkpoint_store.h"
#include "storage/statement.h"

namespace weir {

class DeadLetterTable {
 public:
  using Counts = CheckpointStore::DeadLetterCounts;

  Status prepare(Database& database);

  /// Adds the letter and counts it. Requires a transaction.
  Status add(uint32_t pipeline, uint64_t checkpoint_id, const DeadLetter& letter, Counts& counts);
  /// Deletes the oldest of the pipeline until both limits hold, and counts them. Requires a transaction. Costs nothing while
  /// the limits hold.
  Status enforce(uint32_t pipeline, const DeadLetterLimits& limits, Counts& counts);
  /// Reads all rows of the pipeline (0: of every one), without their payloads.
  Result<Counts> count(uint32_t pipeline);
  Status list(uint32_t pipeline, int64_t after, size_t limit, FunctionRef<void(const StoredDeadLetter&)> visit);

 private:
  Status delete_oldest(uint32_t pipeline, Counts& counts);

  Statement insert_;
  Statement oldest_;
  Statement delete_;
  Statement count_;
  Statement purged_;
  Statement list_;
};

}  // namespace weir
