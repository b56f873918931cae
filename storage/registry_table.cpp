#include "storage/registry_table.h"

#include "storage/database.h"
#include "storage/row_key.h"

namespace weir {

Status RegistryTable::prepare(Database& database) {
  database_ = &database;
  WEIR_TRY(find_pipeline_.prepare(database, "SELECT id, reserved_id, dead_letters_purged FROM pipeline WHERE name = ?1"));
  WEIR_TRY(add_pipeline_.prepare(database, "INSERT INTO pipeline (name) VALUES (?1)"));
  WEIR_TRY(update_pipeline_.prepare(database, "UPDATE pipeline SET reserved_id = ?2, dead_letters_purged = ?3 WHERE id = ?1"));
  WEIR_TRY(find_operator_.prepare(database, "SELECT op FROM operator WHERE pipeline = ?1 AND uid = ?2"));
  WEIR_TRY(add_operator_.prepare(database, "INSERT INTO operator (pipeline, uid) VALUES (?1, ?2)"));
  return operators_.prepare(database, "SELECT op FROM operator WHERE pipeline = ?1 ORDER BY op");
}

Result<RegisteredPipeline> RegistryTable::find_pipeline(std::string_view name) {
  RegisteredPipeline found;
  Status status = find_pipeline_.bind(1, name).each([&](const Statement& row) {
    found = {static_cast<uint32_t>(row.integer(0)), static_cast<uint64_t>(row.integer(1)),
             static_cast<uint64_t>(row.integer(2))};
    return Status();
  });
  if (!status.ok()) return status;
  if (found.pipeline == 0) return Status(Code::NotFound, "the state directory has no such pipeline");
  if (found.pipeline > row_key::pipeline_max) return Status(Code::Corrupt, "the number of a pipeline is out of range");
  return found;
}

Result<uint32_t> RegistryTable::add_pipeline(std::string_view name) {
  if (Status status = add_pipeline_.bind(1, name).run(); !status.ok()) return status;
  const int64_t id = database_->last_insert_id();
  if (id > row_key::pipeline_max) return Status(Code::InvalidArgument, "the state directory has had too many pipelines");
  return static_cast<uint32_t>(id);
}

Status RegistryTable::update_pipeline(const RegisteredPipeline& row) {
  return update_pipeline_.bind(1, row.pipeline).bind(2, row.reserved_id).bind(3, row.dead_letters_purged).run();
}

Result<uint32_t> RegistryTable::find_operator(uint32_t pipeline, std::string_view uid) {
  int64_t op = 0;
  Status status = find_operator_.bind(1, pipeline).bind(2, uid).each([&](const Statement& row) {
    op = row.integer(0);
    return Status();
  });
  if (!status.ok()) return status;
  if (op == 0) return Status(Code::NotFound, "the pipeline never had such a part");
  if (op < 0 || op > row_key::op_max) return Status(Code::Corrupt, "the number of a part is out of range");
  return static_cast<uint32_t>(op);
}

Result<uint32_t> RegistryTable::add_operator(uint32_t pipeline, std::string_view uid) {
  if (Status status = add_operator_.bind(1, pipeline).bind(2, uid).run(); !status.ok()) return status;
  const int64_t op = database_->last_insert_id();
  if (op > row_key::op_max) return Status(Code::InvalidArgument, "the state directory has had too many parts");
  return static_cast<uint32_t>(op);
}

Status RegistryTable::each_operator(uint32_t pipeline, FunctionRef<Status(uint32_t op)> visit) {
  return operators_.bind(1, pipeline).each([&](const Statement& row) -> Status {
    const int64_t op = row.integer(0);
    if (op < 1 || op > row_key::op_max) return {Code::Corrupt, "the number of a part is out of range"};
    return visit(static_cast<uint32_t>(op));
  });
}

}  // namespace weir
