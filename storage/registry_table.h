// RegistryTable: which number stands for which pipeline and part. Numbers are given once and never taken back: they are in the
// keys of stored rows. Belongs to the store; same thread rules as its Database.
#pragma once

#include <string_view>

#include "storage/statement.h"

namespace weir {

struct RegisteredPipeline {
  uint32_t pipeline = 0;
  uint64_t reserved_id = 0;
  uint64_t dead_letters_purged = 0;
};

class RegistryTable {
 public:
  Status prepare(Database& database);

  /// Code::NotFound if there is none of that name.
  Result<RegisteredPipeline> find_pipeline(std::string_view name);
  /// Requires a transaction. Code::InvalidArgument if the numbers are used up.
  Result<uint32_t> add_pipeline(std::string_view name);
  Status update_pipeline(const RegisteredPipeline& row);

  /// Code::NotFound if there is none with that uid.
  Result<uint32_t> find_operator(uint32_t pipeline, std::string_view uid);
  /// Requires a transaction. Code::InvalidArgument if the numbers are used up.
  Result<uint32_t> add_operator(uint32_t pipeline, std::string_view uid);
  /// Every part that the pipeline ever had.
  Status each_operator(uint32_t pipeline, FunctionRef<Status(uint32_t op)> visit);

 private:
  Database* database_ = nullptr;
  Statement find_pipeline_;
  Statement add_pipeline_;
  Statement update_pipeline_;
  Statement find_operator_;
  Statement add_operator_;
  Statement operators_;
};

}  // namespace weir
