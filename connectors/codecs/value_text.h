// Values as plain text: what JSON payloads and topics have in common.
#pragma once

#include <cstddef>

#include "agent/base/text_writer.h"
#include "agent/model/schema.h"
#include "agent/model/value.h"

namespace weir {

/// The most characters that a value of this field has as plain text: "-9223372036854775808", "false", ... Strings count as
/// their max_length. Null counts as "null".
size_t value_text_bytes_max(const Field& field);

/// Appends a float as the shortest text that reads back as the same double; "null" if it is not finite. From 2^53 on with an
/// exponent: as a plain row of digits it would look like an integer, which readers of JSON refuse above 64 bits.
void append_float_text(double value, TextWriter& out);

/// Appends a number, boolean or null as plain text, the same in JSON and in topics. Requires that `value` is no string.
void append_value_text(const Value& value, TextWriter& out);

}  // namespace weir
