#include "agent/operators/state_text.h"

#include <algorithm>

#include "agent/base/text_writer.h"
#include "agent/operators/aggregate.h"
#include "agent/operators/key_codec.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

std::string json_string(std::string_view text) {
  std::string room(text.size() * 6 + 16, '\0');
  TextWriter out(room);
  return std::string(out.append_json_string(text).text());
}

std::string float_text(double number) {
  char room[40];
  TextWriter out{room};
  return std::string(out.append_double(number).text());
}

std::string time_text(int64_t time_ms) {
  return time_ms == INT64_MIN || time_ms == INT64_MAX ? "null" : std::to_string(time_ms);
}

std::string value_json(const Value& value) {
  switch (value.type()) {
    case Type::Null:
      return "null";
    case Type::Bool:
      return value.as_bool() ? "true" : "false";
    case Type::Float:
      return float_text(value.as_float());
    case Type::String:
      return json_string(value.as_string());
    default:
      return std::to_string(value.as_int());
  }
}

std::string hex(Bytes bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text = "\"";
  for (uint8_t byte : bytes) {
    text += digits[byte / 16];
    text += digits[byte % 16];
  }
  return text + "\"";
}

uint64_t unsigned_at(const uint8_t* at, uint32_t bytes) {
  uint64_t number = 0;
  memcpy(&number, at, std::min<size_t>(bytes, sizeof number));
  return number;
}

int64_t signed_at(const uint8_t* at, uint32_t bytes) {
  const uint32_t unused = 64 - 8 * bytes;
  return static_cast<int64_t>(unsigned_at(at, bytes) << unused) >> unused;
}

std::string cell_json(const StoredField& field, const uint8_t* at) {
  const ValueCell cell(field.type, field.max_length);
  return cell.valid(at) ? value_json(cell.get(at)) : hex({at, cell.bytes()});
}

std::string aggregate_json(const StoredField& field, const uint8_t* at) {
  const std::unique_ptr<Aggregate> aggregate = make_aggregate(field.made_by);
  // One that a later weir has, or that is damaged.
  if (aggregate == nullptr || aggregate->bytes() != field.size || !aggregate->valid(at)) return hex({at, field.size});
  return value_json(aggregate->result(at));
}

std::string fields_json(const StoredFields& fields, const uint8_t* at);

/// How many elements are in use, and which is the oldest.
struct Elements {
  uint64_t count = 0;
  uint64_t oldest = 0;
};

Elements elements_of(const StoredFields& fields, size_t index, const uint8_t* at) {
  const StoredField& list = fields[index];
  Elements elements{list.count, 0};
  if (list.kind == StoredKind::Ring && index >= 2) {
    elements.oldest = unsigned_at(at + fields.at(index - 2), 2);
    elements.count = unsigned_at(at + fields.at(index - 1), 2);
  } else if (const int counter = fields.find(list.text); !list.text.empty() && counter >= 0) {
    const StoredField& field = fields[static_cast<size_t>(counter)];
    elements.count = unsigned_at(at + fields.at(static_cast<size_t>(counter)), field.size);
  }
  elements.count = std::min<uint64_t>(elements.count, list.count);
  return elements;
}

std::string field_json(const StoredFields& fields, size_t index, const uint8_t* at) {
  const StoredField& field = fields[index];
  const uint8_t* from = at + fields.at(index);
  switch (field.kind) {
    case StoredKind::Flag:
      return *from != 0 ? "true" : "false";
    case StoredKind::Signed:
      return std::to_string(signed_at(from, field.size));
    case StoredKind::Unsigned:
      return std::to_string(unsigned_at(from, field.size));
    case StoredKind::Real:
      return float_text(field.size == 4 ? static_cast<double>(load<float>(from)) : load<double>(from));
    case StoredKind::Time:
      return time_text(load<int64_t>(from));
    case StoredKind::Cell:
      return cell_json(field, from);
    case StoredKind::Raw:
      return hex({from, field.size});
    case StoredKind::Aggregate:
      return aggregate_json(field, from);
    case StoredKind::Argument:
      return field.type == Type::Null ? (*from != 0 ? "true" : "false") : cell_json(field, from + 1);
    case StoredKind::Record:
      return fields_json(field.fields, from);
    case StoredKind::List:
    case StoredKind::Ring:
      break;
  }
  std::string text = "[";
  const Elements elements = elements_of(fields, index, at);
  for (uint64_t element = 0; element < elements.count; ++element) {
    const uint64_t place = (elements.oldest + element) % field.count;
    text += (element == 0 ? "" : ",") + fields_json(field.fields, from + place * field.fields.bytes());
  }
  return text + "]";
}

std::string fields_json(const StoredFields& fields, const uint8_t* at) {
  std::string text = "{";
  for (size_t index = 0; index < fields.size(); ++index)
    text += (index == 0 ? "" : ",") + json_string(fields[index].name) + ":" + field_json(fields, index, at);
  return text + "}";
}

/// The key's values; false if the bytes are none of these fields.
bool read_key(const StateLayout& layout, Bytes slot, std::vector<Value>& values) {
  const uint64_t before = layout.fields.bytes();
  if (slot.size() < before) return false;
  Schema schema;
  std::vector<uint32_t> positions;
  for (const Field& field : layout.key) {
    positions.push_back(static_cast<uint32_t>(schema.size()));
    schema.add(field);
  }
  values.assign(layout.key.size(), Value::null());
  return KeyCodec(schema, positions).decode(slot.subspan(static_cast<size_t>(before)), values);
}

Status no_slot() { return {Code::Corrupt, "the stored bytes are not what their description says"}; }

std::string csv_cell(const std::string& json) {
  if (json == "null") return {};
  if (json.find_first_of("\",\n") == std::string::npos) return json;
  std::string quoted = "\"";
  for (char character : json) quoted += character == '"' ? std::string("\"\"") : std::string(1, character);
  return quoted + "\"";
}

std::string csv_text(std::string_view text) { return text.empty() ? "\"\"" : csv_cell(std::string(text)); }

std::string csv_value(const Value& value) {
  return value.type() == Type::String ? csv_text(value.as_string()) : csv_cell(value_json(value));
}

/// As a column of its own: a text stands as it is.
std::string csv_field(const StoredFields& fields, size_t index, const uint8_t* at) {
  const StoredField& field = fields[index];
  const uint8_t* from = at + fields.at(index);
  const ValueCell cell(field.type, field.max_length);
  if (field.kind == StoredKind::Cell && field.type == Type::String && cell.valid(from)) return csv_value(cell.get(from));
  if (field.kind == StoredKind::Aggregate) {
    const std::unique_ptr<Aggregate> aggregate = make_aggregate(field.made_by);
    if (aggregate != nullptr && aggregate->bytes() == field.size && aggregate->valid(from))
      return csv_value(aggregate->result(from));
  }
  return csv_cell(field_json(fields, index, at));
}

}  // namespace

Status append_state_json(const StateLayout& layout, Bytes slot, std::string& out) {
  std::vector<Value> key;
  if (!read_key(layout, slot, key)) return no_slot();
  out += "{\"key\":{";
  for (size_t index = 0; index < key.size(); ++index)
    out += (index == 0 ? "" : ",") + json_string(layout.key[index].name) + ":" + value_json(key[index]);
  out += "},\"state\":" + fields_json(layout.fields, slot.data()) + "}";
  return {};
}

std::string state_csv_header(const StateLayout& layout) {
  std::string header;
  for (const Field& field : layout.key) header += (header.empty() ? "" : ",") + csv_text(field.name);
  for (const StoredField& field : layout.fields.all()) header += (header.empty() ? "" : ",") + csv_text(field.name);
  return header;
}

Status append_state_csv(const StateLayout& layout, Bytes slot, std::string& out) {
  std::vector<Value> key;
  if (!read_key(layout, slot, key)) return no_slot();
  const char* comma = "";
  for (const Value& value : key) {
    out += comma + csv_value(value);
    comma = ",";
  }
  for (size_t index = 0; index < layout.fields.size(); ++index) {
    out += comma + csv_field(layout.fields, index, slot.data());
    comma = ",";
  }
  return {};
}

void append_own_json(const StateLayout& layout, Bytes own, std::string& out) {
  out += own.size() < layout.own.bytes() ? "{}" : fields_json(layout.own, own.data());
}

}  // namespace weir
