#include "storage/checkpoint_table.h"

#include <array>

#include "agent/base/crc32c.h"
#include "storage/database.h"
#include "storage/row_key.h"

namespace weir {
namespace {

constexpr uint8_t row_tag = 16;  // outside the numbers of BlobKind, which tag the rows of blobs

uint32_t row_crc(const CheckpointRow& row) {
  std::array<uint8_t, 64> memory;
  ByteWriter header(memory);
  header.put(row_tag);
  header.put(row.pipeline);
  header.put(row.id);
  header.put(row.created_wall_ms);
  header.put(row.operator_blobs);
  header.put(row.blob_rows);
  header.put(uint64_t{row.reason.size()});
  header.put(uint64_t{row.manifest.size()});
  return crc32c(row.manifest, crc32c(as_bytes(row.reason), crc32c(header.bytes())));
}

CheckpointRow row_of(const Statement& row) {
  return {static_cast<uint32_t>(row.integer(1)), static_cast<uint64_t>(row.integer(2)), row.text(3), row.integer(4),
          static_cast<uint32_t>(row.integer(5)), static_cast<uint64_t>(row.integer(6)), row.bytes(8)};
}

}  // namespace

Status CheckpointTable::prepare(Database& database) {
  WEIR_TRY(insert_.prepare(database,
                           "INSERT INTO checkpoint (id, pipeline, checkpoint, reason, created_ms, operator_blobs, blob_rows,"
                           " crc, manifest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"));
  WEIR_TRY(delete_.prepare(database, "DELETE FROM checkpoint WHERE id >= ?1 AND id < ?2"));
  WEIR_TRY(select_.prepare(database,
                           "SELECT id, pipeline, checkpoint, reason, created_ms, operator_blobs, blob_rows, crc, manifest"
                           " FROM checkpoint WHERE id = ?1"));
  return ids_.prepare(database, "SELECT id FROM checkpoint WHERE id >= ?1 AND id < ?2 ORDER BY id DESC");
}

Status CheckpointTable::put(const CheckpointRow& row) {
  insert_.bind(1, row_key::of_checkpoint(row.pipeline, row.id)).bind(2, row.pipeline).bind(3, row.id).bind(4, row.reason);
  insert_.bind(5, row.created_wall_ms).bind(6, row.operator_blobs).bind(7, row.blob_rows).bind(8, row_crc(row));
  return insert_.bind(9, row.manifest).run();
}

Status CheckpointTable::forget_before(uint32_t pipeline, uint64_t id) {
  return delete_.bind(1, row_key::of_checkpoint(pipeline, 0)).bind(2, row_key::of_checkpoint(pipeline, id)).run();
}

Status CheckpointTable::forget_after(uint32_t pipeline, uint64_t id) {
  return delete_.bind(1, row_key::of_checkpoint(pipeline, id + 1)).bind(2, row_key::of_checkpoint(pipeline + 1, 0)).run();
}

Status CheckpointTable::read(uint32_t pipeline, uint64_t id, FunctionRef<Status(const CheckpointRow&)> visit) {
  bool found = false;
  WEIR_TRY(select_.bind(1, row_key::of_checkpoint(pipeline, id)).each([&](const Statement& columns) -> Status {
    found = true;
    const CheckpointRow row = row_of(columns);
    if (int64_t{row_crc(row)} != columns.integer(7)) return {Code::Corrupt, "the row of the checkpoint fails its CRC"};
    if (row.id != id || row.pipeline != pipeline) return {Code::Corrupt, "the row of the checkpoint stands under a wrong key"};
    return visit(row);
  }));
  return found ? Status() : Status(Code::NotFound, "there is no such checkpoint");
}

Status CheckpointTable::each_id(uint32_t pipeline, FunctionRef<Status(uint64_t id)> visit) {
  ids_.bind(1, row_key::of_checkpoint(pipeline, 0)).bind(2, row_key::of_checkpoint(pipeline + 1, 0));
  return ids_.each([&](const Statement& row) { return visit(row_key::checkpoint_id_of(row.integer(0))); });
}

}  // namespace weir
