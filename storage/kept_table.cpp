#include "storage/kept_table.h"

#include <array>

#include "agent/base/crc32c.h"
#include "storage/database.h"

namespace weir {
namespace {

// Outside the numbers of BlobKind and of other rows, which tag theirs.
constexpr uint8_t kept_tag = 20;

uint32_t row_crc(const KeptPart& part) {
  std::array<uint8_t, 32> memory;
  ByteWriter numbers(memory);
  numbers.put(kept_tag);
  numbers.put(part.op);
  numbers.put(part.checkpoint_id);
  numbers.put(part.layout);
  numbers.put(part.since_wall_ms);
  return crc32c(numbers.bytes());
}

}  // namespace

Status KeptTable::prepare(Database& database) {
  WEIR_TRY(select_.prepare(database, "SELECT op, checkpoint, layout, since_ms, crc FROM kept ORDER BY op"));
  WEIR_TRY(insert_.prepare(database,
                           "INSERT OR REPLACE INTO kept (op, checkpoint, layout, since_ms, crc) VALUES (?1, ?2, ?3, ?4, ?5)"));
  return delete_.prepare(database, "DELETE FROM kept WHERE op = ?1");
}

Status KeptTable::each(FunctionRef<Status(const KeptPart&)> visit) {
  return select_.each([&](const Statement& row) -> Status {
    KeptPart part;
    part.op = static_cast<uint32_t>(row.integer(0));
    part.checkpoint_id = static_cast<uint64_t>(row.integer(1));
    part.layout = static_cast<uint64_t>(row.integer(2));
    part.since_wall_ms = row.integer(3);
    return int64_t{row_crc(part)} == row.integer(4) ? visit(part) : Status();
  });
}

Status KeptTable::put(const KeptPart& part) {
  insert_.bind(1, part.op).bind(2, part.checkpoint_id).bind(3, part.layout).bind(4, part.since_wall_ms);
  return insert_.bind(5, row_crc(part)).run();
}

Status KeptTable::forget(uint32_t op) { return delete_.bind(1, op).run(); }

}  // namespace weir
