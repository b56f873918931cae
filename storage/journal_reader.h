// JournalReader: the input that a journal holds, for whoever is not its owner. It reads the file only, so it may be used while
// the agent writes; groups that are written over meanwhile are counted and passed over. Heap; not for the agent itself.
#pragma once

#include "agent/base/function_ref.h"
#include "storage/journal_ring.h"

namespace weir {

struct JournalReadCounts {
  uint64_t messages = 0;
  uint64_t skipped_batches = 0;   // damaged, or written over while they were read
  int64_t oldest_arrival_ms = 0;  // of the first that was read
};

/// Visits the messages that arrived at `from_ms` or later, in the order in which they came. Code::NotFound: there is no file.
Result<JournalReadCounts> read_journal(const std::string& path, int64_t from_ms, FunctionRef<void(const JournalRecord&)> visit);
Result<JournalReadCounts> read_journal(BlockFile& file, int64_t from_ms, FunctionRef<void(const JournalRecord&)> visit);

/// The pipelines that have a journal in this directory, by name.
std::vector<std::string> journals_in(const std::string& state_dir);

}  // namespace weir
