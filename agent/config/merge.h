// Several files and the overrides of the command line become one tree.
#pragma once

#include "agent/config/toml_document.h"

namespace weir {

/// Adds the tree of another file. Tables are united, arrays of tables appended; a key that both set is reported.
void merge_file(Node& into, Node from, const ConfigFiles& files, Diagnostics& diagnostics);

/// Parses and applies the override in `files[index]`. One that is wrong is reported and changes nothing.
void apply_override(Node& into, const ConfigFiles& files, uint32_t index, Diagnostics& diagnostics);

}  // namespace weir
