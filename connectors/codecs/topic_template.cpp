#include "connectors/codecs/topic_template.h"

#include <algorithm>

#include "agent/base/nearest_name.h"
#include "agent/base/utf8.h"
#include "connectors/codecs/value_text.h"

namespace weir {
namespace {

constexpr size_t encoded_byte_bytes = 3;  // %2F

uint32_t code_point(std::string_view sequence) {
  auto lead = static_cast<uint8_t>(sequence[0]);
  if (sequence.size() == 1) return lead;
  uint32_t point = lead & (0xFFU >> (sequence.size() + 1));
  for (char byte : sequence.substr(1)) point = point << 6 | (static_cast<uint8_t>(byte) & 0x3FU);
  return point;
}

/// MQTT 5 section 1.5.4: NUL must not, control characters and non-characters should not be in a topic; brokers may close the
/// connection over either.
bool forbidden_in_topics(uint32_t point) {
  return point <= 0x1F || (point >= 0x7F && point <= 0x9F) || (point >= 0xFDD0 && point <= 0xFDEF) ||
         (point & 0xFFFE) == 0xFFFE;
}

bool shapes_topics(std::string_view sequence, bool begins_topic) {
  char character = sequence[0];
  return character == '/' || character == '+' || character == '#' || character == '%' || (character == '$' && begins_topic);
}

void append_encoded(std::string_view bytes, TextWriter& out) {
  for (char byte : bytes) {
    auto number = static_cast<uint8_t>(byte);
    out.append('%').append("0123456789ABCDEF"[number >> 4]).append("0123456789ABCDEF"[number & 0xF]);
  }
}

void append_level_text(std::string_view text, bool begins_topic, TextWriter& out) {
  if (text.empty()) out.append('%');
  while (!text.empty()) {
    size_t length = utf8_sequence_length(text);
    std::string_view sequence = text.substr(0, std::max<size_t>(length, 1));
    if (length == 0 || forbidden_in_topics(code_point(sequence)) || shapes_topics(sequence, begins_topic))
      append_encoded(sequence, out);
    else
      out.append(sequence);
    begins_topic = false;
    text.remove_prefix(sequence.size());
  }
}

size_t level_bytes_max(const Field& field) {
  size_t bytes = value_text_bytes_max(field);
  return field.type == Type::String ? std::max(bytes, field.max_length * encoded_byte_bytes) : bytes;
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

}  // namespace

bool TopicTemplate::parse(std::string_view text, const Schema& schema, std::vector<TemplateError>& errors) {
  size_t errors_before = errors.size();
  pieces_.clear();
  bytes_max_ = 0;
  if (text.empty()) errors.push_back({0, 0, "the topic is empty", {}});
  for (size_t at = 0; at < text.size();) {
    size_t open = std::min(text.find('{', at), text.size());
    if (open > at) parse_literal(text.substr(at, open - at), at, errors);
    if (open == text.size()) break;
    size_t close = text.find_first_of("{}", open + 1);
    if (close == std::string_view::npos || text[close] == '{') {
      errors.push_back({open, 1, "\"{\" without its \"}\"", {}});
      at = open + 1;
      continue;
    }
    parse_field(text.substr(open + 1, close - open - 1), open + 1, schema, errors);
    at = close + 1;
  }
  if (errors.size() == errors_before && bytes_max_ > topic_bytes_limit)
    errors.push_back({0, text.size(), "the topic could have " + std::to_string(bytes_max_) + " bytes; MQTT allows 65535", {}});
  return errors.size() == errors_before;
}

void TopicTemplate::parse_literal(std::string_view text, size_t offset, std::vector<TemplateError>& errors) {
  pieces_.push_back({std::string(text), -1});
  bytes_max_ += text.size();
  while (!text.empty()) {
    size_t length = utf8_sequence_length(text);
    std::string_view sequence = text.substr(0, std::max<size_t>(length, 1));
    if (sequence == "+" || sequence == "#")
      errors.push_back({offset, 1, quoted(sequence) + " is a wildcard: a topic to publish to has none", {}});
    else if (sequence == "}")
      errors.push_back({offset, 1, "\"}\" without its \"{\"", {}});
    else if (length == 0)
      errors.push_back({offset, 1, "not UTF-8", {}});
    else if (forbidden_in_topics(code_point(sequence)))
      errors.push_back({offset, length, "a character that MQTT does not allow in topics", {}});
    offset += sequence.size();
    text.remove_prefix(sequence.size());
  }
}

void TopicTemplate::parse_field(std::string_view name, size_t offset, const Schema& schema,
                                std::vector<TemplateError>& errors) {
  if (name.empty()) {
    errors.push_back({offset - 1, 2, "no field between the braces", {}});
    return;
  }
  int field = schema.find(name);
  if (field < 0) {
    std::vector<std::string> candidates;
    for (const Field& candidate : schema.fields())
      if (!candidate.hidden) candidates.push_back(candidate.name);
    errors.push_back({offset, name.size(), "unknown field " + quoted(name), nearest_name(name, candidates)});
    return;
  }
  pieces_.push_back({{}, field});
  bytes_max_ += level_bytes_max(schema[static_cast<size_t>(field)]);
}

bool TopicTemplate::render(const Record& record, TextWriter& out) const {
  size_t start = out.size();
  bool overflowed_before = out.overflowed();
  for (const Piece& piece : pieces_) {
    if (piece.field < 0) {
      out.append(piece.literal);
      continue;
    }
    const Value& value = record.values[static_cast<size_t>(piece.field)];
    if (value.type() == Type::String)
      append_level_text(value.as_string(), out.size() == start, out);
    else
      append_value_text(value, out);
  }
  if (!out.overflowed() || overflowed_before) return !overflowed_before;
  out.truncate(start);
  return false;
}

}  // namespace weir
