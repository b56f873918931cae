#include "storage/layout_table.h"

#include "agent/base/hash.h"
#include "storage/database.h"

namespace weir {
namespace {

int64_t key_of(uint64_t hash) { return static_cast<int64_t>(hash); }

}  // namespace

Status LayoutTable::prepare(Database& database) {
  WEIR_TRY(select_.prepare(database, "SELECT text FROM layout WHERE hash = ?1"));
  WEIR_TRY(all_.prepare(database, "SELECT hash, text FROM layout WHERE ?1 OR hash > ?2 ORDER BY hash"));
  return insert_.prepare(database, "INSERT OR REPLACE INTO layout (hash, text) VALUES (?1, ?2)");
}

Result<std::string> LayoutTable::find(uint64_t hash) {
  std::string text;
  bool sound = false;
  Status status = select_.bind(1, key_of(hash)).each([&](const Statement& row) {
    text = row.text(0);
    // The key is the check.
    sound = hash64(as_bytes(text)) == hash;
    return Status();
  });
  if (!status.ok()) return status;
  if (!sound) return Status(Code::NotFound, "the description of a part's state is not stored");
  return text;
}

Status LayoutTable::each(bool from_first, int64_t behind, FunctionRef<Status(uint64_t hash, std::string_view text)> visit) {
  return all_.bind(1, from_first ? 1 : 0).bind(2, behind).each([&](const Statement& row) {
    const auto hash = static_cast<uint64_t>(row.integer(0));
    return hash64(row.bytes(1)) == hash ? visit(hash, row.text(1)) : Status();
  });
}

Status LayoutTable::put(uint64_t hash, std::string_view text) { return insert_.bind(1, key_of(hash)).bind(2, text).run(); }

}  // namespace weir
