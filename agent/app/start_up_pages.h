// Code and constants that only the start needed (reading TOML, the library's own initialisation, the loader's tables) stay in
// the process's resident size although nothing uses them again. They are unchanged pages of files, so the kernel can be told to
// drop them from this process: what is still in use comes back from the page cache at its next touch.
#pragma once

namespace weir {

/// Drops the resident pages of every loaded object's read-only segments. Costs a few hundred minor faults soon after.
void drop_start_up_pages();

}  // namespace weir
