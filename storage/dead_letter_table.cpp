#include "storage/dead_letter_table.h"

#include <algorithm>
#include <limits>
#include <string>

#include "storage/database.h"

namespace weir {
namespace {

/// Besides twice as many as have come: who lowers the limits waits for several checkpoints, not for one long one.
constexpr size_t deleted_at_a_time = 256;

/// Of a letter `d` and its pipeline `p`.
constexpr const char* from_selected =
    " FROM dead_letter d CROSS JOIN pipeline p ON p.id = d.pipeline WHERE d.id > ?1 AND (length(?2) = 0 OR p.name = ?2)"
    " AND (length(?3) = 0 OR d.reason = ?3) AND (?4 = 0 OR d.id = ?4) AND d.arrival_ms < ?5 AND d.id <= ?7";

/// Databases that were made before letters could be replayed have no such column.
Result<bool> has_attempts(Database& database) {
  const Result<int64_t> columns =
      database.read_int("SELECT count(*) FROM pragma_table_info('dead_letter') WHERE name = 'attempts'");
  if (!columns.ok()) return columns.status();
  return columns.value() > 0;
}

StoredDeadLetter letter_of(const Statement& row) {
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
  stored.letter.attempts = static_cast<uint32_t>(row.integer(11));
  return stored;
}

int64_t sql_limit(size_t limit) {
  return static_cast<int64_t>(std::min(uint64_t{limit}, static_cast<uint64_t>(std::numeric_limits<int64_t>::max())));
}

}  // namespace

Status DeadLetterTable::prepare(Database& database, bool read_only) {
  Result<bool> attempts = has_attempts(database);
  if (!attempts.ok()) return attempts.status();
  if (!attempts.value() && !read_only) {
    WEIR_TRY(database.execute("ALTER TABLE dead_letter ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0"));
    attempts = true;
  }
  // Without the column nothing is ever added.
  const std::string column = attempts.value() ? "d.attempts" : "0";
  WEIR_TRY(insert_.prepare(database, std::string("INSERT INTO dead_letter (pipeline, checkpoint, step, reason, detail, topic,"
                                                 " payload, payload_size, offset, arrival_ms") +
                                         (attempts.value() ? ", attempts" : "") +
                                         ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10" +
                                         (attempts.value() ? ", ?11" : "") + ")"));
  WEIR_TRY(oldest_.prepare(database, "SELECT id, length(payload) FROM dead_letter WHERE pipeline = ?1 ORDER BY id LIMIT 1"));
  WEIR_TRY(delete_.prepare(database, "DELETE FROM dead_letter WHERE id = ?1"));
  WEIR_TRY(count_.prepare(database, "SELECT count(*), total(length(payload)) FROM dead_letter WHERE ?1 = 0 OR pipeline = ?1"));
  WEIR_TRY(purged_.prepare(database, "SELECT total(dead_letters_purged) FROM pipeline WHERE ?1 = 0 OR id = ?1"));
  WEIR_TRY(find_.prepare(database, "SELECT length(payload) FROM dead_letter WHERE id = ?1 AND pipeline = ?2"));
  // CROSS JOIN keeps the letters outside, so that they come in their own order without sorting.
  const std::string columns =
      "SELECT d.id, p.name, d.checkpoint, d.step, d.reason, d.detail, d.topic, d.payload, d.payload_size,"
      " d.offset, d.arrival_ms, " +
      column;
  WEIR_TRY(list_.prepare(database, columns + " FROM dead_letter d CROSS JOIN pipeline p ON p.id = d.pipeline"
                                             " WHERE d.id > ?1 AND (?2 = 0 OR d.pipeline = ?2) ORDER BY d.id LIMIT ?3"));
  WEIR_TRY(select_.prepare(database, columns + from_selected + " ORDER BY d.id LIMIT ?6"));
  WEIR_TRY(count_selected_.prepare(database, std::string("SELECT count(*), max(d.id)") + from_selected));
  return places_.prepare(database,
                         std::string("SELECT d.id, d.pipeline, length(d.payload)") + from_selected + " ORDER BY d.id LIMIT ?6");
}

Status DeadLetterTable::add(uint32_t pipeline, uint64_t checkpoint_id, const DeadLetter& letter, Counts& counts) {
  insert_.bind(1, pipeline).bind(2, checkpoint_id).bind(3, letter.step).bind(4, letter.reason).bind(5, letter.detail);
  insert_.bind(6, letter.topic).bind(7, letter.payload).bind(8, letter.payload_size).bind(9, letter.offset);
  WEIR_TRY(insert_.bind(10, letter.arrival_ms).bind(11, letter.attempts).run());
  ++counts.rows;
  counts.bytes += letter.payload.size();
  return {};
}

Status DeadLetterTable::enforce(uint32_t pipeline, const DeadLetterLimits& limits, size_t added, Counts& counts) {
  for (size_t left = deleted_at_a_time + 2 * added; left > 0; --left) {
    if (counts.rows == 0 || (counts.rows <= limits.rows_max && counts.bytes <= limits.bytes_max)) return {};
    WEIR_TRY(delete_oldest(pipeline, counts));
  }
  return {};
}

Status DeadLetterTable::remove(uint32_t pipeline, int64_t id, Counts& counts) {
  bool found = false;
  uint64_t bytes = 0;
  WEIR_TRY(find_.bind(1, id).bind(2, pipeline).each([&](const Statement& row) {
    found = true;
    bytes = static_cast<uint64_t>(row.integer(0));
    return Status();
  }));
  if (!found) return {};
  WEIR_TRY(delete_.bind(1, id).run());
  counts.rows -= std::min<uint64_t>(1, counts.rows);
  counts.bytes -= std::min(bytes, counts.bytes);
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
  return list_.bind(1, after).bind(2, pipeline).bind(3, sql_limit(limit)).each([&](const Statement& row) {
    visit(letter_of(row));
    return Status();
  });
}

void DeadLetterTable::bind_selection(Statement& statement, const DeadLetterSelection& selection) {
  statement.bind(1, selection.after).bind(2, selection.pipeline).bind(3, selection.reason).bind(4, selection.id);
  statement.bind(5, selection.before_ms).bind(7, selection.up_to);
}

Status DeadLetterTable::select(const DeadLetterSelection& selection, size_t limit,
                               FunctionRef<void(const StoredDeadLetter&)> visit) {
  bind_selection(select_, selection);
  return select_.bind(6, sql_limit(limit)).each([&](const Statement& row) {
    visit(letter_of(row));
    return Status();
  });
}

Result<SelectedLetters> DeadLetterTable::count_selected(const DeadLetterSelection& selection) {
  SelectedLetters selected;
  bind_selection(count_selected_, selection);
  const Status status = count_selected_.each([&](const Statement& row) {
    selected = {static_cast<uint64_t>(row.integer(0)), row.integer(1)};
    return Status();
  });
  if (!status.ok()) return status;
  return selected;
}

Status DeadLetterTable::select_places(const DeadLetterSelection& selection, size_t limit,
                                      FunctionRef<void(const Place&)> visit) {
  bind_selection(places_, selection);
  return places_.bind(6, sql_limit(limit)).each([&](const Statement& row) {
    visit({row.integer(0), static_cast<uint32_t>(row.integer(1)), static_cast<uint64_t>(row.integer(2))});
    return Status();
  });
}

}  // namespace weir
