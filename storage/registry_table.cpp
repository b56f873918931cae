#include "storage/registry_table.h"

#include <algorithm>
#include <array>

#include "agent/base/crc32c.h"
#include "storage/database.h"
#include "storage/row_key.h"

namespace weir {
namespace {

// Outside the numbers of BlobKind and of the rows of checkpoints, which tag other rows.
constexpr uint8_t pipeline_tag = 18;
constexpr uint8_t operator_tag = 19;

uint32_t pipeline_crc(uint32_t id, std::string_view name, uint64_t reserved_id, uint64_t purged) {
  std::array<uint8_t, 32> memory;
  ByteWriter numbers(memory);
  numbers.put(pipeline_tag);
  numbers.put(id);
  numbers.put(reserved_id);
  numbers.put(purged);
  return crc32c(as_bytes(name), crc32c(numbers.bytes()));
}

uint32_t operator_crc(uint32_t op, uint32_t pipeline, std::string_view uid) {
  std::array<uint8_t, 16> memory;
  ByteWriter numbers(memory);
  numbers.put(operator_tag);
  numbers.put(op);
  numbers.put(pipeline);
  return crc32c(as_bytes(uid), crc32c(numbers.bytes()));
}

Status in_range(int64_t number, uint32_t most, const char* text) {
  return number >= 1 && number <= most ? Status() : Status(Code::Corrupt, text);
}

}  // namespace

Status RegistryTable::prepare(Database& database) {
  database_ = &database;
  WEIR_TRY(pipelines_.prepare(database, "SELECT id, name, reserved_id, dead_letters_purged, crc FROM pipeline"));
  WEIR_TRY(add_pipeline_.prepare(
      database, "INSERT INTO pipeline (id, name, reserved_id, dead_letters_purged, crc) VALUES (?1, ?2, 0, 0, ?3)"));
  WEIR_TRY(update_pipeline_.prepare(database,
                                    "UPDATE pipeline SET reserved_id = ?2, dead_letters_purged = ?3, crc = ?4 WHERE id = ?1"));
  WEIR_TRY(operators_.prepare(database, "SELECT op, pipeline, uid, crc FROM operator ORDER BY op"));
  return add_operator_.prepare(database, "INSERT INTO operator (op, pipeline, uid, crc) VALUES (?1, ?2, ?3, ?4)");
}

Result<RegisteredPipeline> RegistryTable::find_pipeline(std::string_view name) {
  RegisteredPipeline found;
  Status status = pipelines_.each([&](const Statement& row) -> Status {
    WEIR_TRY(in_range(row.integer(0), row_key::pipeline_max, "the number of a pipeline is out of range"));
    const RegisteredPipeline read{static_cast<uint32_t>(row.integer(0)), std::string(row.text(1)),
                                  static_cast<uint64_t>(row.integer(2)), static_cast<uint64_t>(row.integer(3))};
    if (int64_t{pipeline_crc(read.pipeline, read.name, read.reserved_id, read.dead_letters_purged)} != row.integer(4))
      return {Code::Corrupt, "the row of a pipeline fails its CRC"};
    if (read.name == name) found = read;
    return {};
  });
  if (!status.ok()) return status;
  if (found.pipeline == 0) return Status(Code::NotFound, "the state directory has no such pipeline");
  return found;
}

Status RegistryTable::add_pipeline(std::string_view name) {
  Result<int64_t> id = database_->read_int("SELECT coalesce(max(id), 0) + 1 FROM pipeline");
  if (!id.ok()) return id.status();
  if (id.value() > row_key::pipeline_max) return {Code::InvalidArgument, "the state directory has had too many pipelines"};
  const auto number = static_cast<uint32_t>(id.value());
  return add_pipeline_.bind(1, number).bind(2, name).bind(3, pipeline_crc(number, name, 0, 0)).run();
}

Status RegistryTable::update_pipeline(uint32_t pipeline, std::string_view name, uint64_t reserved_id,
                                      uint64_t dead_letters_purged) {
  update_pipeline_.bind(1, pipeline).bind(2, reserved_id).bind(3, dead_letters_purged);
  return update_pipeline_.bind(4, pipeline_crc(pipeline, name, reserved_id, dead_letters_purged)).run();
}

Status RegistryTable::each_row(FunctionRef<Status(const Operator&)> visit) {
  return operators_.each([&](const Statement& row) -> Status {
    WEIR_TRY(in_range(row.integer(0), row_key::op_max, "the number of a part is out of range"));
    WEIR_TRY(in_range(row.integer(1), row_key::pipeline_max, "the number of a part's pipeline is out of range"));
    const Operator read{static_cast<uint32_t>(row.integer(0)), static_cast<uint32_t>(row.integer(1)), row.text(2)};
    if (int64_t{operator_crc(read.op, read.pipeline, read.uid)} != row.integer(3))
      return {Code::Corrupt, "the row of a part fails its CRC"};
    return visit(read);
  });
}

Result<uint32_t> RegistryTable::find_operator(uint32_t pipeline, std::string_view uid) {
  uint32_t found = 0;
  Status status = each_row([&](const Operator& row) {
    if (row.pipeline == pipeline && row.uid == uid) found = row.op;
    return Status();
  });
  if (!status.ok()) return status;
  if (found == 0) return Status(Code::NotFound, "the pipeline never had such a part");
  return found;
}

Result<uint32_t> RegistryTable::add_operator(uint32_t pipeline, std::string_view uid) {
  Result<int64_t> op = database_->read_int("SELECT coalesce(max(op), 0) + 1 FROM operator");
  if (!op.ok()) return op.status();
  if (op.value() > row_key::op_max) return Status(Code::InvalidArgument, "the state directory has had too many parts");
  const auto number = static_cast<uint32_t>(op.value());
  add_operator_.bind(1, number).bind(2, pipeline).bind(3, uid).bind(4, operator_crc(number, pipeline, uid));
  if (Status status = add_operator_.run(); !status.ok()) return status;
  return number;
}

Status RegistryTable::each_pipeline(FunctionRef<Status(std::string_view name)> visit) {
  return pipelines_.each([&](const Statement& row) { return visit(row.text(1)); });
}

Status RegistryTable::each_named(uint32_t pipeline, FunctionRef<Status(uint32_t op, std::string_view uid)> visit) {
  return each_row([&](const Operator& row) { return row.pipeline == pipeline ? visit(row.op, row.uid) : Status(); });
}

Status RegistryTable::each_operator(uint32_t pipeline, FunctionRef<Status(uint32_t op)> visit) {
  return each_row([&](const Operator& row) { return row.pipeline == pipeline ? visit(row.op) : Status(); });
}

}  // namespace weir
