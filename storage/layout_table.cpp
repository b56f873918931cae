#include "storage/layout_table.h"

#include "agent/base/hash.h"
#include "storage/database.h"

namespace weir {
namespace {

int64_t key_of(uint64_t hash) { return static_cast<int64_t>(hash); }

}  // namespace

Status LayoutTable::prepare(Database& database) {
  WEIR_TRY(select_.prepare(database, "SELECT text FROM layout WHERE hash = ?1"));
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

Status LayoutTable::put(uint64_t hash, std::string_view text) { return insert_.bind(1, key_of(hash)).bind(2, text).run(); }

}  // namespace weir
