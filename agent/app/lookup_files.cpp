#include "agent/app/lookup_files.h"

#include "connectors/file/csv_lookup.h"

namespace weir {

void register_lookup_files() { set_lookup_opener(open_csv_lookup); }

}  // namespace weir
