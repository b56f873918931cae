// DeadLetterTable: the messages set aside, of all pipelines. They have no CRC: no state rests on them. Belongs to the store;
// same thread rules as its Database.
#pragma once

#include "agent/model/checkpoint_store.h"
#include "storage/statement.h"

namespace weir {

class DeadLetterTable {
 public:
  using Counts = CheckpointStore::DeadLetterCounts;

  /// `read_only`: a database of before is read as it is.
  Status prepare(Database& database, bool read_only);

  /// Adds the letter and counts it. Requires a transaction.
  Status add(uint32_t pipeline, uint64_t checkpoint_id, const DeadLetter& letter, Counts& counts);
  /// Whether one more of so many bytes stays within the limits.
  static bool fits(const DeadLetterLimits& limits, const Counts& counts, uint64_t bytes) {
    return counts.rows < limits.rows_max && counts.bytes + bytes <= limits.bytes_max;
  }
  /// Deletes the oldest of the pipeline until both limits hold, but not many more at a time than have come, and counts them.
  /// Requires a transaction. Costs nothing while the limits hold.
  Status enforce(uint32_t pipeline, const DeadLetterLimits& limits, size_t added, Counts& counts);
  /// Takes this letter of the pipeline away, if it is there. Requires a transaction.
  Status remove(uint32_t pipeline, int64_t id, Counts& counts);
  /// Reads all rows of the pipeline (0: of every one), without their payloads.
  Result<Counts> count(uint32_t pipeline);
  Status list(uint32_t pipeline, int64_t after, size_t limit, FunctionRef<void(const StoredDeadLetter&)> visit);
  Status select(const DeadLetterSelection& selection, size_t limit, FunctionRef<void(const StoredDeadLetter&)> visit);
  Result<SelectedLetters> count_selected(const DeadLetterSelection& selection);
  /// Of the next selected ones.
  struct Place {
    int64_t id = 0;
    uint32_t pipeline = 0;
    uint64_t bytes = 0;  // of the payload
  };
  Status select_places(const DeadLetterSelection& selection, size_t limit, FunctionRef<void(const Place&)> visit);
  Status remove(const Place& place) { return delete_.bind(1, place.id).run(); }

 private:
  Status delete_oldest(uint32_t pipeline, Counts& counts);
  static void bind_selection(Statement& statement, const DeadLetterSelection& selection);

  Statement insert_;
  Statement oldest_;
  Statement delete_;
  Statement count_;
  Statement purged_;
  Statement list_;
  Statement find_;
  Statement select_;
  Statement count_selected_;
  Statement places_;
};

}  // namespace weir
