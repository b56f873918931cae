// SqliteMemory: the block that SQLite takes its memory from while the agent runs, so that a database cannot take what the
// pipelines were promised. Debian's SQLite has no allocator for a fixed block, so one of weir's is put below it
// (storage/block_heap.h). Where the block is used up SQLite says so (SQLITE_NOMEM, Code::Full here) and the transaction is
// rolled back; it may be tried again.
//
// Without such an object SQLite takes the heap: commands that only look, tests. What it has there it gives back there. One at a
// time in a process; made before and gone after every connection that uses it. use() from any thread, the rest from one.
#pragma once

#include <cstdint>
#include <span>

namespace weir {

struct SqliteMemoryUse {
  uint64_t limit = 0;  // bytes; 0: the heap
  uint64_t used = 0;
  uint64_t peak = 0;
  uint64_t refused = 0;  // requests that found no room
};

/// Puts the allocator below SQLite; once per process is enough. Requires that no connection is open. False if SQLite refuses.
bool install_sqlite_memory();

class SqliteMemory {
 public:
  /// Installs the allocator if that was not done. If SQLite refuses, it goes on with the heap.
  explicit SqliteMemory(std::span<uint8_t> block);
  /// Requires that SQLite has given everything back.
  ~SqliteMemory();
  SqliteMemory(const SqliteMemory&) = delete;
  SqliteMemory& operator=(const SqliteMemory&) = delete;

  static SqliteMemoryUse use();
};

}  // namespace weir
