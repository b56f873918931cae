// Which files the `lookup` step can read: CSV. Start-up only.
#pragma once

namespace weir {

void register_lookup_files();

}  // namespace weir
