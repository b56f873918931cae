// SourceField: one row of a source's `fields` table: where a value comes from and what it is. The configuration parses it,
// the decoders follow it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/base/time_zone.h"
#include "agent/model/schema.h"

namespace weir {

/// A topic has at most 65535 bytes, so its segments count from 0 to this at most.
constexpr uint32_t topic_segment_max = 65535;

enum class FieldOrigin : uint8_t { Payload, TopicSegment, Arrival };

enum class TimeFormat : uint8_t { Seconds, Milliseconds, Microseconds, Nanoseconds, Rfc3339, Local };

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
  std::shared_ptr<const TimeZone> zone;  // of TimeFormat::Local
  std::vector<PathSegment> path;         // from the document's root; for "float" alone: the field's own name
};

}  // namespace weir
