#include "connectors/codecs/json_decoder.h"

#include <bit>

// Errors come back as codes; our code has no exceptions.
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include "agent/base/utf8.h"

namespace weir {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

static_assert(payload_padding >= simdjson::SIMDJSON_PADDING);

/// The library works on documents of at least this capacity and would grow a smaller one by itself.
constexpr size_t capacity_min = 64;
constexpr size_t payload_bytes_limit = size_t{1} << 30;

size_t parser_capacity(size_t payload_bytes_max) { return payload_bytes_max < capacity_min ? capacity_min : payload_bytes_max; }

/// The library refuses at its limit, not above it.
constexpr size_t parser_depth = json_depth_max + 1;

struct DocumentError {
  const char* reason;
  const char* why;
};

/// What is wrong with the document's strings, as the library's vectored kernels find it before they look at UTF-8.
simdjson::error_code string_error(Bytes payload) {
  bool inside = false;
  bool escaped = false;
  for (const uint8_t byte : payload) {
    if (inside && byte < 0x20) return simdjson::UNESCAPED_CHARS;
    if (byte == '"' && !escaped) inside = !inside;
    escaped = byte == '\\' && !escaped;
  }
  return inside ? simdjson::UNCLOSED_STRING : simdjson::SUCCESS;
}

/// The kernel for processors without vector instructions has another order: it takes a wrong escape for wrong UTF-8, and the
/// first mistake for the only one. The reason is the same everywhere.
simdjson::error_code same_everywhere(simdjson::error_code code, Bytes payload) {
  if (utf8_valid(as_text(payload))) return code == simdjson::UTF8_ERROR ? simdjson::STRING_ERROR : code;
  const simdjson::error_code of_strings = string_error(payload);
  return of_strings == simdjson::SUCCESS ? simdjson::UTF8_ERROR : of_strings;
}

DocumentError document_error(simdjson::error_code code, Bytes payload) {
  switch (same_everywhere(code, payload)) {
    case simdjson::UTF8_ERROR:
      return {reason_utf8, "the document is not UTF-8"};
    case simdjson::DEPTH_ERROR:
      return {"depth", "more than 64 containers inside each other"};
    case simdjson::EMPTY:
      return {"json", "the document is empty"};
    case simdjson::UNCLOSED_STRING:
      return {"json", "a string has no end"};
    case simdjson::UNESCAPED_CHARS:
      return {"json", "a control character in a string"};
    case simdjson::STRING_ERROR:
      return {"json", "a wrong escape in a string"};
    case simdjson::NUMBER_ERROR:
      return {"json", "a number that is malformed or too large"};
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
      return {"json", "a word that is not true, false or null"};
    case simdjson::TAPE_ERROR:
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
      return {"json", "a comma, colon, bracket or value is missing or in excess"};
    default:
      return {"json", "the document is malformed"};
  }
}

Scalar scalar_of(element value) {
  switch (value.type()) {
    case element_type::NULL_VALUE:
      return Scalar::null();
    case element_type::BOOL:
      return Scalar::of_bool(value.get_bool().value_unsafe());
    case element_type::INT64:
      return Scalar::of_int(value.get_int64().value_unsafe());
    case element_type::UINT64:  // only for numbers above the signed range
    case element_type::DOUBLE:
      return Scalar::of_float(value.get_double().value_unsafe());
    case element_type::STRING:
      return Scalar::of_string(value.get_string().value_unsafe());
    case element_type::OBJECT:
      return Scalar::object();
    case element_type::ARRAY:
      return Scalar::array();
  }
  return Scalar::null();
}

/// The text between two slashes; data() is nullptr if the topic has no segment `wanted`.
std::string_view topic_segment(std::string_view topic, uint32_t wanted) {
  for (; wanted > 0; --wanted) {
    size_t slash = topic.find('/');
    if (slash == std::string_view::npos) return {};
    topic.remove_prefix(slash + 1);
  }
  return topic.substr(0, topic.find('/'));
}

Schema schema_of(const std::vector<SourceField>& fields) {
  Schema schema;
  for (const SourceField& field : fields) schema.add(field.field);
  return schema;
}

bool begins_number(Bytes document) {
  for (uint8_t byte : document)
    if (byte != ' ' && byte != '\t' && byte != '\n' && byte != '\r') return byte == '-' || (byte >= '0' && byte <= '9');
  return false;
}

}  // namespace

struct JsonDecoder::Parser {
  simdjson::dom::parser library;
};

/// One walk over a parsed document. It goes down only where a path leads, so its recursion is as deep as the longest path.
struct DocumentWalk {
  JsonDecoder& decoder;
  std::span<Value> values;

  Refusal visit(const PathTrie::Node& node, element value) {
    if (!node.fields.empty()) {
      Scalar scalar = scalar_of(value);
      for (uint32_t position : node.fields) {
        Misfit misfit = convert(decoder.fields_[position], scalar, values[position]);
        if (misfit.reason != nullptr) return decoder.refuse_field(position, scalar, misfit);
      }
    }
    if (!node.members.empty() && value.is_object()) return visit_object(node, value.get_object().value_unsafe());
    if (!node.elements.empty() && value.is_array()) return visit_array(node, value.get_array().value_unsafe());
    return {};
  }

  /// Names are first compared in the order of the fields table, which is often that of the document.
  Refusal visit_object(const PathTrie::Node& node, simdjson::dom::object object) {
    uint64_t missing = ~uint64_t{0} >> (64 - node.members.size());
    for (auto [name, value] : object) {
      if (!node.may_have(name)) continue;
      for (uint64_t rest = missing; rest != 0; rest &= rest - 1) {
        const PathTrie::Member& member = node.members[static_cast<size_t>(std::countr_zero(rest))];
        if (member.name != name) continue;
        if (Refusal refusal = visit(decoder.trie_.node(member.node), value); refusal.reason != nullptr) return refusal;
        missing &= ~(rest & (~rest + 1));
        break;
      }
      if (missing == 0) break;
    }
    return {};
  }

  Refusal visit_array(const PathTrie::Node& node, simdjson::dom::array array) {
    uint64_t index = 0;
    auto wanted = node.elements.begin();
    for (element value : array) {
      if (index++ != wanted->index) continue;
      if (Refusal refusal = visit(decoder.trie_.node(wanted->node), value); refusal.reason != nullptr) return refusal;
      if (++wanted == node.elements.end()) break;
    }
    return {};
  }
};

[[gnu::cold]] JsonDecoder::JsonDecoder(std::vector<SourceField> fields, size_t payload_bytes_max)
    : fields_(std::move(fields)),
      schema_(schema_of(fields_)),
      trie_(fields_),
      payload_bytes_max_(payload_bytes_max),
      parser_(std::make_unique<Parser>()) {
  WEIR_ASSERT(payload_bytes_max <= payload_bytes_limit);
  size_t capacity = parser_capacity(payload_bytes_max);
  WEIR_ASSERT(parser_->library.allocate(capacity, parser_depth) == simdjson::SUCCESS);
  WEIR_ASSERT(parser_->library.doc.allocate(capacity) == simdjson::SUCCESS);
  for (uint32_t position = 0; position < fields_.size(); ++position)
    if (fields_[position].origin != FieldOrigin::Payload) outside_.push_back(position);
}

JsonDecoder::~JsonDecoder() = default;

size_t JsonDecoder::memory_bytes(size_t payload_bytes_max) {
  size_t capacity = parser_capacity(payload_bytes_max);
  auto rounded = [](size_t bytes) { return (bytes + 63) / 64 * 64; };
  size_t structure = (rounded(capacity) + 9) * sizeof(uint32_t);
  size_t tape = rounded(capacity + 3) * sizeof(uint64_t);
  size_t strings = rounded(5 * capacity / 3 + simdjson::SIMDJSON_PADDING);
  size_t containers = parser_depth * (sizeof(uint64_t) + sizeof(bool));
  return structure + tape + strings + containers;
}

Refusal JsonDecoder::decode(const Message& message, std::span<Value> values) {
  WEIR_ASSERT(values.size() == fields_.size());
  if (message.payload.size() > payload_bytes_max_)
    return refuse_document(reason_too_long, "the payload is longer than max_message", message.payload);
  if (message.payload.empty()) return refuse_document("json", "the document is empty", message.payload);
  // A bare number has no members to find, and looking at it is the one case in which simdjson uses the heap.
  if (trie_.root().fields.empty() && begins_number(message.payload))
    return refuse_document("json", "the document is no object", message.payload);
  element root;
  if (auto code = parser_->library.parse(message.payload.data(), message.payload.size(), false).get(root); code) {
    auto [reason, why] = document_error(code, message.payload);
    return refuse_document(reason, why, message.payload);
  }
  if (!root.is_object() && !root.is_array() && trie_.root().fields.empty())
    return refuse_document("json", "the document is no object", message.payload);
  for (Value& value : values) value = Value::null();
  Refusal refusal = DocumentWalk{*this, values}.visit(trie_.root(), root);
  return refusal.reason != nullptr ? refusal : take_outside(message, values);
}

Refusal JsonDecoder::take_outside(const Message& message, std::span<Value> values) {
  for (uint32_t position : outside_) {
    const SourceField& field = fields_[position];
    if (field.origin == FieldOrigin::Arrival) {
      values[position] = Value::of_time(message.arrival_ms);
      continue;
    }
    std::string_view segment = topic_segment(message.topic, field.topic_segment);
    Scalar scalar = segment.data() == nullptr ? Scalar::null() : Scalar::of_string(segment);
    Misfit misfit = convert(field, scalar, values[position]);
    if (misfit.reason != nullptr) return refuse_field(position, scalar, misfit);
  }
  return {};
}

Refusal JsonDecoder::refuse_document(const char* reason, const char* why, Bytes payload) {
  TextWriter out(detail_);
  out.append("json: ").append(why).append(": ");
  append_excerpt(as_text(payload), out);
  return {reason, out.text()};
}

Refusal JsonDecoder::refuse_field(uint32_t position, const Scalar& scalar, Misfit misfit) {
  TextWriter out(detail_);
  describe(fields_[position], scalar, misfit, out);
  return {misfit.reason, out.text()};
}

}  // namespace weir
