// SourceField: one row of a source's `fields` table: where a value comes from and what it is. The configuration parses it,
// the decoders follow it.
#pragma once

#include <string>
#include <vector>

#include "agent/model/schema.h"

namespace weir {

enum class FieldOrigin : uint8_t { Payload, TopicSegment, Arrival };

enum class TimeFormat : uint8_t { Seconds, Milliseconds, Microseconds, Nanoseconds, Rfc3339 };

/// One step of a path into a document: a member's name, or an element's position.
struct PathSegment {
  std::string name;
  int64_t index = -1;  // >= 0: an array element; then name is empty
  bool operator==(const PathSegment&) const = default;
};

struct SourceField {
  Field field;
  FieldOrigin origin = FieldOrigin::Payload;
  uint32_t topic_segment = 0;  // from 0
  TimeFormat time_format = TimeFormat::Milliseconds;
  std::vector<PathSegment> path;  // from the document's root; for "float" alone: the field's own name
};

}  // namespace weir
