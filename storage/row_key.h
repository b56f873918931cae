// Row keys: how pipeline, part, checkpoint and index are packed into SQLite's integer row ids, so that a part's rows lie
// together and in the order in which they are loaded. docs/state-format.md has the table. Pure functions.
#pragma once

#include <cstdint>

namespace weir::row_key {

// One less than what fits: the key behind the last row of a pipeline or part must be a number, too.
constexpr uint32_t pipeline_max = (1U << 23) - 2;
constexpr uint32_t op_max = (1U << 15) - 2;
constexpr uint64_t checkpoint_id_max = (uint64_t{1} << 34) - 1;  // ten a second for 54 years
constexpr uint32_t blob_index_max = (1U << 14) - 1;              // times 32 KiB: 512 MiB of state in one part

/// Rows of `checkpoint`: pipeline << 40 | checkpoint id.
constexpr int64_t of_checkpoint(uint32_t pipeline, uint64_t id) { return static_cast<int64_t>(uint64_t{pipeline} << 40 | id); }
constexpr uint32_t pipeline_of(int64_t key) { return static_cast<uint32_t>(static_cast<uint64_t>(key) >> 40); }
constexpr uint64_t checkpoint_id_of(int64_t key) { return static_cast<uint64_t>(key) & ((uint64_t{1} << 40) - 1); }

/// Rows of `base`: op << 48 | chunk << 34 | checkpoint id. The versions of a chunk lie together, oldest first.
constexpr int64_t of_chunk(uint32_t op, uint32_t chunk, uint64_t checkpoint_id) {
  return static_cast<int64_t>(uint64_t{op} << 48 | uint64_t{chunk} << 34 | checkpoint_id);
}
constexpr uint32_t chunk_of(int64_t key) { return static_cast<uint32_t>(static_cast<uint64_t>(key) >> 34) & blob_index_max; }
constexpr uint64_t chunk_checkpoint_of(int64_t key) { return static_cast<uint64_t>(key) & checkpoint_id_max; }

/// Rows of `opstate` (index 0), `delta`, `outbox` and `session_tail`: op << 48 | checkpoint id << 14 | index.
constexpr int64_t of_blob(uint32_t op, uint64_t checkpoint_id, uint32_t index) {
  return static_cast<int64_t>(uint64_t{op} << 48 | checkpoint_id << 14 | index);
}
constexpr uint64_t blob_checkpoint_of(int64_t key) { return static_cast<uint64_t>(key) >> 14 & checkpoint_id_max; }
constexpr uint32_t blob_index_of(int64_t key) { return static_cast<uint32_t>(key) & blob_index_max; }

/// Behind the last row of a part in any of these tables.
constexpr int64_t end_of_part(uint32_t op) { return static_cast<int64_t>(uint64_t{op + 1} << 48); }

}  // namespace weir::row_key
