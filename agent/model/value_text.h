// Values as JSON text, for payloads, dead letters and messages to people.
#pragma once

#include "agent/base/text_writer.h"
#include "agent/model/record.h"
#include "agent/model/schema.h"

namespace weir {

/// null, true, 12, 21.5, "text"; a time is its milliseconds since 1970.
void append_json(TextWriter& out, const Value& value);

/// {"name":value,...} in the order of the schema.
void append_json(TextWriter& out, const Schema& schema, const Record& record);

}  // namespace weir
