// RegistryTable: which number stands for which pipeline and part. Numbers are given once and never taken back: they are in the
// keys of stored rows. Every row carries a CRC32C, and names are found by reading all rows, not through an index: nothing but
// these rows has to be sound. Belongs to the store; same thread rules as its Database.
#pragma once

#include <string>
#include <string_view>

#include "storage/statement.h"

namespace weir {

struct RegisteredPipeline {
  uint32_t pipeline = 0;
  std::string name;
  uint64_t reserved_id = 0;
  uint64_t dead_letters_purged = 0;
};

class RegistryTable {
 public:
  Status prepare(Database& database);

  /// Code::NotFound if there is none of that name; Code::Corrupt if a row that was read fails its CRC.
  Result<RegisteredPipeline> find_pipeline(std::string_view name);
  /// Requires a transaction. Code::InvalidArgument if the numbers are used up.
  Status add_pipeline(std::string_view name);
  Status update_pipeline(uint32_t pipeline, std::string_view name, uint64_t reserved_id, uint64_t dead_letters_purged);

  /// Code::NotFound if there is none with that uid; Code::Corrupt if a row that was read fails its CRC.
  Result<uint32_t> find_operator(uint32_t pipeline, std::string_view uid);
  /// Requires a transaction. Code::InvalidArgument if the numbers are used up.
  Result<uint32_t> add_operator(uint32_t pipeline, std::string_view uid);
  /// By their numbers.
  Status each_pipeline(FunctionRef<Status(std::string_view name)> visit);
  Status each_named(uint32_t pipeline, FunctionRef<Status(uint32_t op, std::string_view uid)> visit);
  /// Every part that the pipeline ever had.
  Status each_operator(uint32_t pipeline, FunctionRef<Status(uint32_t op)> visit);

 private:
  struct Operator {
    uint32_t op;
    uint32_t pipeline;
    std::string_view uid;
  };
  Status each_row(FunctionRef<Status(const Operator&)> visit);

  Database* database_ = nullptr;
  Statement pipelines_;
  Statement add_pipeline_;
  Statement update_pipeline_;
  Statement operators_;
  Statement add_operator_;
};

}  // namespace weir
