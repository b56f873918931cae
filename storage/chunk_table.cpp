#include "storage/chunk_table.h"

#include <algorithm>
#include <string>

#include "storage/blob_row.h"
#include "storage/database.h"
#include "storage/row_key.h"

namespace weir {
namespace {

/// The rows between ?1 and ?2 that hold, of each chunk, the newest version up to checkpoint ?4, if it is later than ?3.
std::string chunks_at() {
  const std::string mask = std::to_string(row_key::checkpoint_id_max);
  const std::string version = "(base.id & " + mask + ")";
  return " FROM base WHERE id >= ?1 AND id < ?2 AND " + version + " > ?3 AND " + version +
         " <= ?4 AND NOT EXISTS (SELECT 1 FROM base AS newer WHERE newer.id > base.id AND newer.id <= (base.id & ~" + mask +
         " | ?4))";
}

Statement& bind_part(Statement& statement, uint32_t op) {
  return statement.bind(1, row_key::of_chunk(op, 0, 0)).bind(2, row_key::end_of_part(op));
}

}  // namespace

Status ChunkTable::prepare(Database& database) {
  const std::string mask = std::to_string(row_key::checkpoint_id_max);
  WEIR_TRY(insert_.prepare(database, "INSERT INTO base (id, crc, bytes) VALUES (?1, ?2, ?3)"));
  WEIR_TRY(newest_.prepare(database, "SELECT id FROM base WHERE id > ?1 AND id <= ?2 ORDER BY id DESC LIMIT 1"));
  WEIR_TRY(delete_versions_.prepare(
      database, "DELETE FROM base WHERE id >= ?1 AND id < (SELECT max(id) FROM base WHERE id >= ?1 AND id <= ?2)"));
  WEIR_TRY(delete_all_versions_.prepare(database, "DELETE FROM base WHERE id >= ?1 AND id < ?2"));
  WEIR_TRY(count_.prepare(database, "SELECT count(*), coalesce(sum(id & " + mask + "), 0)" + chunks_at()));
  WEIR_TRY(select_.prepare(database, "SELECT id, crc, bytes" + chunks_at() + " ORDER BY id"));
  return delete_.prepare(
      database, "DELETE FROM base WHERE id >= ?1 AND id < ?2 AND (id & " + mask + ") > ?3 AND (id & " + mask + ") <= ?4");
}

Status ChunkTable::put(const Blob& blob, uint64_t checkpoint_id) {
  const uint32_t crc = blob_crc(blob.op, {BlobKind::Base, blob.index, checkpoint_id, blob.bytes});
  return insert_.bind(1, row_key::of_chunk(blob.op, blob.index, checkpoint_id)).bind(2, crc).bind(3, blob.bytes).run();
}

Status ChunkTable::newest_version(uint32_t op, uint32_t chunk, uint64_t after, uint64_t& checkpoint_id) {
  checkpoint_id = 0;
  newest_.bind(1, row_key::of_chunk(op, chunk, after)).bind(2, row_key::of_chunk(op, chunk, row_key::checkpoint_id_max));
  return newest_.each([&](const Statement& row) {
    checkpoint_id = row_key::chunk_checkpoint_of(row.integer(0));
    return Status();
  });
}

Status ChunkTable::forget_versions(uint32_t op, uint32_t chunk, uint64_t oldest, uint64_t writing) {
  if (oldest == writing) {
    delete_all_versions_.bind(1, row_key::of_chunk(op, chunk, 0));
    return delete_all_versions_.bind(2, row_key::of_chunk(op, chunk, writing)).run();
  }
  return delete_versions_.bind(1, row_key::of_chunk(op, chunk, 0)).bind(2, row_key::of_chunk(op, chunk, oldest)).run();
}

Status ChunkTable::count(uint32_t op, uint64_t after, uint64_t at, uint64_t& chunks, uint64_t& versions) {
  return bind_part(count_, op).bind(3, after).bind(4, at).each([&](const Statement& row) {
    chunks = static_cast<uint64_t>(row.integer(0));
    versions = static_cast<uint64_t>(row.integer(1));
    return Status();
  });
}

Status ChunkTable::each(uint32_t op, uint64_t after, uint64_t at, FunctionRef<Status(const StoredBlob&)> visit,
                        int64_t behind) {
  const int64_t first = std::max(row_key::of_chunk(op, 0, 0), behind + 1);
  return bind_part(select_, op).bind(1, first).bind(3, after).bind(4, at).each([&](const Statement& row) -> Status {
    const int64_t id = row.integer(0);
    const StoredBlob blob{BlobKind::Base, row_key::chunk_of(id), row_key::chunk_checkpoint_of(id), row.bytes(2)};
    WEIR_TRY(check_blob_crc(op, blob, row.integer(1)));
    return visit(blob);
  });
}

Status ChunkTable::forget(uint32_t op, uint64_t after, uint64_t up_to) {
  return bind_part(delete_, op).bind(3, after).bind(4, up_to).run();
}

}  // namespace weir
