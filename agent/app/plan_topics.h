// What the sources of a pipeline decode: the fields that they declare, each segment of the topic marked as such, and a hidden
// field for each other segment that an expression of a step reads by topic(n). All sources get the same hidden fields, so that
// a union of them has one form; the value is null where a topic has no such segment. Start-up only.
#pragma once

#include <vector>

#include "agent/config/diagnostics.h"
#include "agent/config/spec.h"

namespace weir {

/// One list per source, in the order of `spec.source`. Empty, with errors told, if a segment is asked for that no topic of any
/// source has, or if a source has no room for one more field.
std::vector<std::vector<SourceField>> decoded_fields(const PipelineSpec& spec, Diagnostics& diagnostics);

}  // namespace weir
