#include "storage/part_table.h"

#include <algorithm>

#include "agent/base/crc32c.h"
#include "storage/blob_row.h"
#include "storage/database.h"
#include "storage/row_key.h"

namespace weir {
namespace {

uint32_t row_crc(uint32_t op, uint64_t checkpoint_id, const PartSet& set, Bytes bytes) {
  std::array<uint8_t, 48> memory;
  ByteWriter numbers(memory);
  numbers.put(set.blobs);
  numbers.put(set.versions);
  for (uint64_t after : set.after) numbers.put(after);
  return crc32c(numbers.bytes(), blob_crc(op, {BlobKind::Operator, 0, checkpoint_id, bytes}));
}

PartSet set_of(const Statement& row) {
  auto number = [&](int column) { return static_cast<uint64_t>(row.integer(column)); };
  return {number(1), number(2), {number(3), number(4), number(5), number(6)}};
}

}  // namespace

Status PartTable::prepare(Database& database) {
  WEIR_TRY(insert_.prepare(database,
                           "INSERT INTO opstate (id, blobs, versions, base_after, delta_after, outbox_after, tail_after, crc,"
                           " bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"));
  WEIR_TRY(select_.prepare(database,
                           "SELECT id, blobs, versions, base_after, delta_after, outbox_after, tail_after, crc, bytes"
                           " FROM opstate WHERE id = ?1"));
  WEIR_TRY(newest_.prepare(database,
                           "SELECT id, blobs, versions, base_after, delta_after, outbox_after, tail_after"
                           " FROM opstate WHERE id > ?1 AND id < ?2 ORDER BY id DESC LIMIT 1"));
  return delete_.prepare(database, "DELETE FROM opstate WHERE id > ?1 AND id <= ?2");
}

Status PartTable::put(uint32_t op, uint64_t checkpoint_id, const PartSet& set, Bytes bytes) {
  insert_.bind(1, row_key::of_blob(op, checkpoint_id, 0)).bind(2, set.blobs).bind(3, set.versions);
  for (size_t kind = 0; kind < set.after.size(); ++kind) insert_.bind(4 + static_cast<int>(kind), set.after[kind]);
  return insert_.bind(8, row_crc(op, checkpoint_id, set, bytes)).bind(9, bytes).run();
}

Status PartTable::read(uint32_t op, uint64_t checkpoint_id, FunctionRef<Status(const PartSet&, Bytes)> visit) {
  bool found = false;
  WEIR_TRY(select_.bind(1, row_key::of_blob(op, checkpoint_id, 0)).each([&](const Statement& row) -> Status {
    found = true;
    const PartSet set = set_of(row);
    if (int64_t{row_crc(op, checkpoint_id, set, row.bytes(8))} != row.integer(7))
      return {Code::Corrupt, "the state of a part fails its CRC", static_cast<int>(op)};
    return visit(set, row.bytes(8));
  }));
  return found ? Status() : Status(Code::NotFound, "the part was not in the checkpoint", static_cast<int>(op));
}

Status PartTable::newest(uint32_t op, uint64_t& checkpoint_id, PartSet& set) {
  checkpoint_id = 0;
  set = {};
  newest_.bind(1, row_key::of_blob(op, 0, 0)).bind(2, row_key::end_of_part(op));
  return newest_.each([&](const Statement& row) {
    checkpoint_id = row_key::blob_checkpoint_of(row.integer(0));
    set = set_of(row);
    return Status();
  });
}

Status PartTable::forget(uint32_t op, uint64_t after, uint64_t up_to) {
  const uint64_t from = std::min(after, row_key::checkpoint_id_max);
  const uint64_t to = std::min(up_to, row_key::checkpoint_id_max);
  delete_.bind(1, row_key::of_blob(op, from, row_key::blob_index_max));
  return delete_.bind(2, row_key::of_blob(op, to, row_key::blob_index_max)).run();
}

}  // namespace weir
