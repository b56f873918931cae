// Row keys: how pipeline, part, checkpoint and index are packed into SQLite's integer row ids, so that a part's rows lie
// together and in the order in which they are loaded. docs/state-format.md has the table. Pure functions.
#pragma once

#include <cstdint>

namespace weir::row_key {

// One less than what fits: the key behind the last row of a pipeline or part must be a number, too.
constexpr uint32_t pipeline_max = (1U << 23) - 2;
constexpr uint32_t op_max = (1U << 15) - 2;
constexpr uint64_t checkpoint_id_max = (uint64_t{1} << 36) - 1;  // ten a second for 217 years
constexpr uint32_t blob_index_max = (1U << 12) - 1;

/// Rows of `checkpoint`: pipeline << 40 | checkpoint id.
constexpr int64_t of_checkpoint(uint32_t pipeline, uint64_t id) { return static_cast<int64_t>(uint64_t{pipeline} << 40 | id); }
constexpr uint32_t pipeline_of(int64_t key) { return static_cast<uint32_t>(static_cast<uint64_t>(key) >> 40); }
constexpr uint64_t checkpoint_id_of(int64_t key) { return static_cast<uint64_t>(key) & ((uint64_t{1} << 40) - 1); }

/// Rows of `base`: op << 32 | chunk.
constexpr int64_t of_chunk(uint32_t op, uint32_t chunk) { return static_cast<int64_t>(uint64_t{op} << 32 | chunk); }
constexpr uint32_t chunk_of(int64_t key) { return static_cast<uint32_t>(key); }

/// Rows of `delta`, `outbox` and `session_tail`: op << 48 | checkpoint id << 12 | index.
constexpr int64_t of_blob(uint32_t op, uint64_t checkpoint_id, uint32_t index) {
  return static_cast<int64_t>(uint64_t{op} << 48 | checkpoint_id << 12 | index);
}
constexpr uint64_t blob_checkpoint_of(int64_t key) { return static_cast<uint64_t>(key) >> 12 & checkpoint_id_max; }
constexpr uint32_t blob_index_of(int64_t key) { return static_cast<uint32_t>(key) & blob_index_max; }

}  // namespace weir::row_key
