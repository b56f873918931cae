#include "agent/app/lookup_files.h"

#include "connectors/file/csv_lookup.h"
#include "storage/lookup_database.h"

namespace weir {
namespace {

class KnownFiles final : public LookupFiles {
 public:
  std::unique_ptr<LookupFile> open(const LookupFileSpec& spec, Arena& arena, const std::string& pool) override {
    if (spec.table.empty()) return std::make_unique<CsvLookup>(spec, arena, pool);
    return std::make_unique<LookupDatabase>(spec, arena, pool);
  }
};

}  // namespace

LookupFiles& lookup_files() {
  static KnownFiles files;
  return files;
}

}  // namespace weir
