#include "storage/meta_table.h"

#include <array>

#include "agent/base/crc32c.h"
#include "agent/base/hash.h"
#include "storage/database.h"

namespace weir {
namespace {

// Outside the numbers of BlobKind and of other rows, which tag theirs.
constexpr uint8_t value_tag = 17;
constexpr const char* put_sql = "INSERT OR REPLACE INTO meta (k, v, crc) VALUES (?1, ?2, ?3)";

uint32_t value_crc(std::string_view value) {
  const std::array<uint8_t, 1> tag{value_tag};
  return crc32c(as_bytes(value), crc32c(tag));
}

}  // namespace

Status MetaTable::prepare(Database& database) {
  WEIR_TRY(select_.prepare(database, "SELECT v, crc FROM meta WHERE k = ?1"));
  return put_.prepare(database, put_sql);
}

Status MetaTable::create_instance(Database& database) {
  Statement random;
  WEIR_TRY(random.prepare(database, "SELECT lower(hex(randomblob(16)))"));
  Statement insert;
  WEIR_TRY(insert.prepare(database, put_sql));
  return random.each([&](const Statement& row) {
    return insert.bind(1, std::string_view("instance")).bind(2, row.text(0)).bind(3, value_crc(row.text(0))).run();
  });
}

Result<uint64_t> MetaTable::instance() {
  uint64_t instance = 0;
  const Status status = read("instance", [&](std::string_view value) {
    instance = hash64(as_bytes(value));
    return Status();
  });
  if (status.code() == Code::NotFound) return Status(Code::Corrupt, "the database does not say which one it is");
  if (status.code() == Code::Corrupt) return Status(Code::Corrupt, "the database's own name fails its CRC");
  if (!status.ok()) return status;
  return instance;
}

Status MetaTable::read(std::string_view name, FunctionRef<Status(std::string_view value)> visit) {
  bool found = false;
  WEIR_TRY(select_.bind(1, name).each([&](const Statement& row) -> Status {
    found = true;
    if (int64_t{value_crc(row.text(0))} != row.integer(1)) return {Code::Corrupt, "a value of the database fails its CRC"};
    return visit(row.text(0));
  }));
  return found ? Status() : Status(Code::NotFound, "the database has no such value");
}

Status MetaTable::put(std::string_view name, std::string_view value) {
  return put_.bind(1, name).bind(2, value).bind(3, value_crc(value)).run();
}

}  // namespace weir
