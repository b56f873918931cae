#include "agent/model/value_text.h"

namespace weir {

void append_json(TextWriter& out, const Value& value) {
  switch (value.type()) {
    case Type::Null:
      out.append("null");
      break;
    case Type::Bool:
      out.append(value.as_bool() ? "true" : "false");
      break;
    case Type::Int:
    case Type::Time:
      out.append_int(value.as_int());
      break;
    case Type::Float:
      out.append_double(value.as_float());
      break;
    case Type::String:
      out.append_json_string(value.as_string());
      break;
  }
}

void append_json(TextWriter& out, const Schema& schema, const Record& record) {
  out.append('{');
  for (size_t index = 0; index < schema.size(); ++index) {
    if (index > 0) out.append(',');
    out.append_json_string(schema[index].name).append(':');
    append_json(out, record.values[index]);
  }
  out.append('}');
}

}  // namespace weir
