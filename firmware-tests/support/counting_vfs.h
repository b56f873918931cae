// CountingVfs: a layer between SQLite and the file system that counts what a database costs the disk: bytes written to the
// database and to its WAL, syncs, and the time that syncs took. It can make each sync last longer, as a card does. It changes
// nothing else. Install one for the whole program, before the first database is opened; its numbers belong to no thread, so
// read them while no statement runs.
#pragma once

#include <cstdint>

namespace weir::test {

struct DiskCost {
  uint64_t wal_bytes = 0;
  uint64_t database_bytes = 0;
  uint64_t syncs = 0;

  uint64_t bytes() const { return wal_bytes + database_bytes; }
  DiskCost operator-(const DiskCost& before) const {
    return {wal_bytes - before.wal_bytes, database_bytes - before.database_bytes, syncs - before.syncs};
  }
};

/// From now on every database of this program goes through it. Each sync takes `sync_us` microseconds at least.
void install_counting_vfs(uint64_t sync_us);
DiskCost disk_cost();

}  // namespace weir::test
