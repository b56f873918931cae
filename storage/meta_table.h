// MetaTable: the table `meta`: what there is once in a database, by name: which database this is, and the configuration that it
// was used with last. Every value carries a CRC32C. Belongs to the store; same thread rules as its Database.
#pragma once

#include <string_view>

#include "storage/statement.h"

namespace weir {

/// The text of the configuration that the pipelines ran with last.
constexpr const char* config_value_name = "config";

class MetaTable {
 public:
  Status prepare(Database& database);

  /// Tells this database from every other one. Code::Corrupt if the row is missing or fails its CRC.
  Result<uint64_t> instance();
  /// Writes the row of `instance`; once, with the tables.
  static Status create_instance(Database& database);

  /// Code::NotFound if there is no such value, Code::Corrupt if it fails its CRC. The view holds until `visit` returns.
  Status read(std::string_view name, FunctionRef<Status(std::string_view value)> visit);
  /// Requires a transaction.
  Status put(std::string_view name, std::string_view value);

 private:
  Statement select_;
  Statement put_;
};

}  // namespace weir
