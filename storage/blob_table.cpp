#include "storage/blob_table.h"

#include <algorithm>
#include <array>
#include <string>

#include "storage/blob_row.h"
#include "storage/database.h"
#include "storage/row_key.h"

namespace weir {
namespace {

const char* table_of(BlobKind kind) {
  constexpr std::array<const char*, 3> tables{"delta", "outbox", "session_tail"};
  return tables[static_cast<size_t>(kind) - static_cast<size_t>(BlobKind::Delta)];
}

/// Both ends of the rows of checkpoints later than `after`, up to `up_to`.
Statement& bind_range(Statement& statement, uint32_t op, uint64_t after, uint64_t up_to) {
  const uint64_t from = std::min(after, row_key::checkpoint_id_max);
  const uint64_t to = std::min(up_to, row_key::checkpoint_id_max);
  statement.bind(1, row_key::of_blob(op, from, row_key::blob_index_max));
  return statement.bind(2, row_key::of_blob(op, to, row_key::blob_index_max));
}

}  // namespace

Status BlobTable::prepare(Database& database) {
  const std::string table = table_of(kind_);
  const std::string rows = " FROM " + table + " WHERE id > ?1 AND id <= ?2";
  WEIR_TRY(insert_.prepare(database, "INSERT INTO " + table + " (id, crc, bytes) VALUES (?1, ?2, ?3)"));
  WEIR_TRY(delete_.prepare(database, "DELETE" + rows));
  WEIR_TRY(count_.prepare(database, "SELECT count(*)" + rows));
  WEIR_TRY(select_.prepare(database, "SELECT id, crc, bytes" + rows + " ORDER BY id"));
  return first_.prepare(database, "SELECT id, crc, bytes" + rows + " ORDER BY id LIMIT 1");
}

Status BlobTable::put(const Blob& blob, uint64_t checkpoint_id) {
  const uint32_t crc = blob_crc(blob.op, {kind_, blob.index, checkpoint_id, blob.bytes});
  return insert_.bind(1, row_key::of_blob(blob.op, checkpoint_id, blob.index)).bind(2, crc).bind(3, blob.bytes).run();
}

Status BlobTable::count(uint32_t op, uint64_t after, uint64_t up_to, uint64_t& rows) {
  return bind_range(count_, op, after, up_to).each([&](const Statement& row) {
    rows = static_cast<uint64_t>(row.integer(0));
    return Status();
  });
}

Status BlobTable::read(const Statement& row, uint32_t op, FunctionRef<Status(const StoredBlob&)> visit) const {
  const int64_t id = row.integer(0);
  const StoredBlob blob{kind_, row_key::blob_index_of(id), row_key::blob_checkpoint_of(id), row.bytes(2)};
  WEIR_TRY(check_blob_crc(op, blob, row.integer(1)));
  return visit(blob);
}

Status BlobTable::each(uint32_t op, uint64_t after, uint64_t up_to, FunctionRef<Status(const StoredBlob&)> visit,
                       int64_t behind) {
  bind_range(select_, op, after, up_to);
  if (behind > row_key::of_blob(op, std::min(after, row_key::checkpoint_id_max), row_key::blob_index_max))
    select_.bind(1, behind);
  return select_.each([&](const Statement& row) { return read(row, op, visit); });
}

Status BlobTable::first(uint32_t op, uint64_t after, FunctionRef<Status(const StoredBlob&)> visit) {
  bool found = false;
  WEIR_TRY(bind_range(first_, op, after, row_key::checkpoint_id_max).each([&](const Statement& row) {
    found = true;
    return read(row, op, visit);
  }));
  return found ? Status() : Status(Code::NotFound, "there is no blob of a later checkpoint");
}

Status BlobTable::forget(uint32_t op, uint64_t after, uint64_t up_to) { return bind_range(delete_, op, after, up_to).run(); }

}  // namespace weir
