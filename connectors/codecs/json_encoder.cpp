#include "connectors/codecs/json_encoder.h"

#include <algorithm>

#include "connectors/codecs/value_text.h"

namespace weir {
namespace {

/// A control character is written as six: \u001f.
constexpr size_t escaped_bytes_max = 6;

std::string member_prefix(std::string_view name, bool first) {
  std::string buffer(name.size() * escaped_bytes_max + 4, '\0');
  TextWriter writer(buffer);
  writer.append(first ? '{' : ',').append_json_string(name).append(':');
  buffer.resize(writer.size());
  return buffer;
}

size_t json_bytes_max(const Field& field) {
  if (field.type != Type::String) return value_text_bytes_max(field);
  return std::max<size_t>(value_text_bytes_max({{}, Type::Null, 0}), 2 + field.max_length * escaped_bytes_max);
}

}  // namespace

JsonEncoder::JsonEncoder(const Schema& schema, std::string_view id_field) {
  WEIR_ASSERT(id_field.empty() || schema.find(id_field) < 0);
  for (const Field& field : schema.fields()) {
    prefixes_.push_back(field.hidden ? std::string() : member_prefix(field.name, no_members_));
    if (field.hidden) continue;
    no_members_ = false;
    payload_bytes_max_ += prefixes_.back().size() + json_bytes_max(field);
  }
  if (no_members_ && id_field.empty()) payload_bytes_max_ += 1;  // the opening brace
  if (!id_field.empty()) {
    id_prefix_ = member_prefix(id_field, no_members_);
    payload_bytes_max_ += id_prefix_.size() + 2 + id_bytes_max;
  }
  payload_bytes_max_ += 1;  // the closing brace
}

void JsonEncoder::encode(const Record& record, TextWriter& out) {
  append_fields(record, out);
  out.append(no_members_ ? "{}" : "}");
}

void JsonEncoder::encode_with_id(const Record& record, std::string_view id_text, TextWriter& out) {
  if (id_prefix_.empty()) return encode(record, out);
  WEIR_ASSERT(id_text.size() <= id_bytes_max);
  append_fields(record, out);
  out.append(id_prefix_).append_json_string(id_text).append('}');
}

void JsonEncoder::append_fields(const Record& record, TextWriter& out) {
  WEIR_ASSERT(record.values.size() == prefixes_.size());
  for (size_t index = 0; index < prefixes_.size(); ++index) {
    if (prefixes_[index].empty()) continue;
    const Value& value = record.values[index];
    out.append(prefixes_[index]);
    if (value.type() == Type::String)
      out.append_json_string(value.as_string());
    else
      append_value_text(value, out);
  }
}

}  // namespace weir
