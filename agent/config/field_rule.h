// One row of a source's `fields` table:
//     device = "topic[1]"                      a segment of the topic, from 0; a string
//     temperature = "float"                    the payload's member of the same name
//     power = "float $.ENERGY.Power"           a path into the payload; `["odd name"]` and `[0]` are segments, too
//     ts = "time(ms) $.time"                   s, ms, us, ns or rfc3339
//     ts = "time(local, Europe/Berlin)"        what a wall clock there shows, without an offset
//     id = "string(32)"                        bytes kept at most; 64 if none are named
//     seen = "arrival"                         when the message came; a time
#pragma once

#include "agent/config/toml_document.h"
#include "agent/model/source_field.h"

namespace weir {

constexpr uint32_t string_length_max = 4096;

/// Parses `node` (its key is the field's name). Reports what is wrong and returns false then.
bool parse_field_rule(const Node& node, SourceField& field, Diagnostics& diagnostics);

}  // namespace weir
