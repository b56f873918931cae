#include "storage/blob_table.h"

#include <algorithm>
#include <array>
#include <string>

#include "agent/base/crc32c.h"
#include "storage/database.h"
#include "storage/row_key.h"

namespace weir {
namespace {

struct Names {
  const char* table;
  const char* crc_disagrees;
  const char* too_new;
};

constexpr std::array<Names, 5> names{{
    {"opstate", "the state of an operator fails its CRC", "the state of an operator is newer than the newest checkpoint"},
    {"base", "a base chunk fails its CRC", "a base chunk is newer than the newest checkpoint"},
    {"delta", "a delta fails its CRC", "a delta is newer than the newest checkpoint"},
    {"outbox", "a blob of the outbox fails its CRC", "a blob of the outbox is newer than the newest checkpoint"},
    {"session_tail", "a blob of the session tail fails its CRC",
     "a blob of the session tail is newer than the newest checkpoint"},
}};

const Names& names_of(BlobKind kind) { return names[static_cast<size_t>(kind) - 1]; }

uint32_t blob_crc(BlobKind kind, uint32_t op, const StoredBlob& blob) {
  std::array<uint8_t, 32> memory;
  ByteWriter header(memory);
  header.put(static_cast<uint8_t>(kind));
  header.put(op);
  header.put(blob.index);
  header.put(blob.checkpoint_id);
  header.put(uint64_t{blob.bytes.size()});
  return crc32c(blob.bytes, crc32c(header.bytes()));
}

}  // namespace

bool BlobTable::keyed_by_checkpoint() const { return kind_ != BlobKind::Operator && kind_ != BlobKind::Base; }

int64_t BlobTable::key(uint32_t op, uint64_t checkpoint_id, uint32_t index) const {
  if (keyed_by_checkpoint()) return row_key::of_blob(op, checkpoint_id, index);
  return kind_ == BlobKind::Base ? row_key::of_chunk(op, index) : op;
}

int64_t BlobTable::last_key(uint32_t op) const { return kind_ == BlobKind::Operator ? op : key(op + 1, 0, 0) - 1; }

Status BlobTable::prepare(Database& database) {
  database_ = &database;
  const std::string table = names_of(kind_).table;
  if (keyed_by_checkpoint()) {
    WEIR_TRY(insert_.prepare(database, "INSERT INTO " + table + " (id, crc, bytes) VALUES (?1, ?3, ?4)"));
    WEIR_TRY(delete_.prepare(database, "DELETE FROM " + table + " WHERE id BETWEEN ?1 AND ?2"));
    WEIR_TRY(select_.prepare(database, "SELECT id, 0, crc, bytes FROM " + table + " WHERE id BETWEEN ?1 AND ?2 ORDER BY id"));
    return next_.prepare(database,
                         "SELECT id, 0, crc, bytes FROM " + table + " WHERE id BETWEEN ?1 AND ?2 ORDER BY id LIMIT 1");
  }
  WEIR_TRY(insert_.prepare(database, "INSERT INTO " + table + " (id, checkpoint, crc, bytes) VALUES (?1, ?2, ?3, ?4)"));
  WEIR_TRY(update_.prepare(database, "UPDATE " + table + " SET checkpoint = ?2, crc = ?3, bytes = ?4 WHERE id = ?1"));
  WEIR_TRY(delete_.prepare(database, "DELETE FROM " + table + " WHERE id BETWEEN ?1 AND ?2 AND checkpoint <= ?3"));
  return select_.prepare(database,
                         "SELECT id, checkpoint, crc, bytes FROM " + table + " WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
}

Result<bool> BlobTable::put(const Blob& blob, uint64_t checkpoint_id) {
  const uint32_t crc = blob_crc(kind_, blob.op, {kind_, blob.index, checkpoint_id, blob.bytes});
  auto write = [&](Statement& statement) {
    statement.bind(1, key(blob.op, checkpoint_id, blob.index)).bind(3, crc).bind(4, blob.bytes);
    if (!keyed_by_checkpoint()) statement.bind(2, checkpoint_id);
    return statement.run();
  };
  if (!keyed_by_checkpoint()) {
    if (Status status = write(update_); !status.ok()) return status;
    if (database_->changes() > 0) return false;
  }
  if (Status status = write(insert_); !status.ok()) return status;
  return true;
}

Result<uint64_t> BlobTable::trim(uint32_t op, uint64_t up_to_checkpoint) {
  const uint64_t last = std::min(up_to_checkpoint, row_key::checkpoint_id_max);
  delete_.bind(1, key(op, 0, 0));
  if (keyed_by_checkpoint()) {
    delete_.bind(2, key(op, last, row_key::blob_index_max));
  } else {
    delete_.bind(2, last_key(op)).bind(3, last);
  }
  if (Status status = delete_.run(); !status.ok()) return status;
  return database_->changes();
}

Status BlobTable::read(const Statement& row, uint32_t op, FunctionRef<Status(const StoredBlob&)> visit) const {
  const int64_t id = row.integer(0);
  StoredBlob blob{kind_, 0, static_cast<uint64_t>(row.integer(1)), row.bytes(3)};
  if (kind_ == BlobKind::Base) blob.index = row_key::chunk_of(id);
  if (keyed_by_checkpoint()) {
    blob.checkpoint_id = row_key::blob_checkpoint_of(id);
    blob.index = row_key::blob_index_of(id);
  }
  if (int64_t{blob_crc(kind_, op, blob)} != row.integer(2))
    return {Code::Corrupt, names_of(kind_).crc_disagrees, static_cast<int>(op)};
  return visit(blob);
}

Status BlobTable::each(uint32_t op, uint64_t newest, FunctionRef<Status(const StoredBlob&)> visit) {
  return select_.bind(1, key(op, 0, 0)).bind(2, last_key(op)).each([&](const Statement& row) {
    return read(row, op, [&](const StoredBlob& blob) {
      if (blob.checkpoint_id > newest) return Status(Code::Corrupt, names_of(kind_).too_new, static_cast<int>(op));
      return visit(blob);
    });
  });
}

Status BlobTable::checkpoint_of(uint32_t op, uint64_t& checkpoint_id) {
  WEIR_ASSERT(kind_ == BlobKind::Operator);
  checkpoint_id = 0;
  return select_.bind(1, int64_t{op}).bind(2, int64_t{op}).each([&](const Statement& row) {
    checkpoint_id = static_cast<uint64_t>(row.integer(1));
    return Status();
  });
}

Status BlobTable::first_after(uint32_t op, uint64_t after, FunctionRef<Status(const StoredBlob&)> visit) {
  WEIR_ASSERT(kind_ == BlobKind::Outbox);
  const uint64_t from = std::min(after, row_key::checkpoint_id_max);
  bool found = false;
  const int64_t first = row_key::of_blob(op, from, row_key::blob_index_max) + 1;
  WEIR_TRY(next_.bind(1, first).bind(2, last_key(op)).each([&](const Statement& row) {
    found = true;
    return read(row, op, visit);
  }));
  return found ? Status() : Status(Code::NotFound, "the outbox has no blob of a later checkpoint");
}

}  // namespace weir
