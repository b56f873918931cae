#include "storage/dead_letter_table.h"

#include <algorithm>
#include <limits>

#include "storage/database.h"

namespace weir {

Status DeadLetterTable::prepare(Database& database) {
  WEIR_TRY(insert_.prepare(database,
                           "INSERT INTO dead_letter (pipeline, checkpoint, step, reason, detail, topic, payload,"
                           " payload_size, offset, arrival_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"));
  WEIR_TRY(oldest_.prepare(database, "SELECT id, length(payload) FROM dead_letter WHERE pipeline = ?1 ORDER BY id LIMIT 1"));
  WEIR_TRY(delete_.prepare(database, "DELETE FROM dead_letter WHERE id = ?1"));
  WEIR_TRY(count_.prepare(database, "SELECT count(*), total(length(payload)) FROM dead_letter WHERE ?1 = 0 OR pipeline = ?1"));
  WEIR_TRY(purged_.prepare(database, "SELECT total(dead_letters_purged) FROM pipeline WHERE ?1 = 0 OR id = ?1"));
  // CROSS JOIN keeps the letters outside, so that they come in their own order without sorting.
  return list_.prepare(database,
                       "SELECT d.id, p.name, d.checkpoint, d.step, d.reason, d.detail, d.topic, d.payload, d.payload_size,"
                       " d.offset, d.arrival_ms FROM dead_letter d CROSS JOIN pipeline p ON p.id = d.pipeline"
                       " WHERE d.id > ?1 AND (?2 = 0 OR d.pipeline = ?2) ORDER BY d.id LIMIT ?3");
}

Status DeadLetterTable::add(uint32_t pipeline, uint64_t checkpoint_id, const DeadLetter& letter, Counts& counts) {
  insert_.bind(1, pipeline).bind(2, checkpoint_id).bind(3, letter.step).bind(4, letter.reason).bind(5, letter.detail);
  insert_.bind(6, letter.topic).bind(7, letter.payload).bind(8, letter.payload_size).bind(9, letter.offset);
  WEIR_TRY(insert_.bind(10, letter.arrival_ms).run());
  ++counts.rows;
  counts.bytes += letter.payload.size();
  return {};
}

Status DeadLetterTable::enforce(uint32_t pipeline, const DeadLetterLimits& limits, Counts& counts) {
  while (counts.rows > 0 && (counts.rows > limits.rows_max || counts.bytes > limits.bytes_max))
    WEIR_TRY(delete_oldest(pipeline, counts));
  return {};
}

Status DeadLetterTable::delete_oldest(uint32_t pipeline, Counts& counts) {
  int64_t id = 0;
  uint64_t bytes = 0;
  WEIR_TRY(oldest_.bind(1, pipeline).each([&](const Statement& row) {
    id = row.integer(0);
    bytes = static_cast<uint64_t>(row.integer(1));
    return Status();
  }));
  if (id == 0) return {Code::Corrupt, "dead letters are missing", static_cast<int>(pipeline)};
  WEIR_TRY(delete_.bind(1, id).run());
  --counts.rows;
  counts.bytes -= std::min(bytes, counts.bytes);
  ++counts.purged;
  return {};
}

Result<DeadLetterTable::Counts> DeadLetterTable::count(uint32_t pipeline) {
  Counts counts;
  Status status = count_.bind(1, pipeline).each([&](const Statement& row) {
    counts.rows = static_cast<uint64_t>(row.integer(0));
    counts.bytes = static_cast<uint64_t>(row.integer(1));
    return Status();
  });
  if (!status.ok()) return status;
  status = purged_.bind(1, pipeline).each([&](const Statement& row) {
    counts.purged = static_cast<uint64_t>(row.integer(0));
    return Status();
  });
  if (!status.ok()) return status;
  return counts;
}

Status DeadLetterTable::list(uint32_t pipeline, int64_t after, size_t limit, FunctionRef<void(const StoredDeadLetter&)> visit) {
  constexpr auto limit_max = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  list_.bind(1, after).bind(2, pipeline).bind(3, std::min(uint64_t{limit}, limit_max));
  return list_.each([&](const Statement& row) {
    StoredDeadLetter stored;
    stored.id = row.integer(0);
    stored.pipeline = row.text(1);
    stored.checkpoint_id = static_cast<uint64_t>(row.integer(2));
    stored.letter.step = row.text(3);
    stored.letter.reason = row.text(4);
    stored.letter.detail = row.text(5);
    stored.letter.topic = row.text(6);
    stored.letter.payload = row.bytes(7);
    stored.letter.payload_size = static_cast<uint64_t>(row.integer(8));
    stored.letter.offset = static_cast<uint64_t>(row.integer(9));
    stored.letter.arrival_ms = row.integer(10);
    visit(stored);
    return Status();
  });
}

}  // namespace weir
