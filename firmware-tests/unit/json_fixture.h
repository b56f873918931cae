// What the tests of the JSON codecs share: fields, messages with exactly the padding that is promised, and a decoder with its
// row.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "connectors/codecs/json_decoder.h"

namespace weir::json_test {

inline SourceField field(std::string name, Type type, uint32_t max_length = default_string_length) {
  SourceField result;
  result.field = {name, type, type == Type::String ? max_length : 0};
  result.path = {{std::move(name), -1}};
  return result;
}

inline SourceField at_path(SourceField from, std::vector<PathSegment> path) {
  from.path = std::move(path);
  return from;
}

inline SourceField time_field(std::string name, TimeFormat format) {
  SourceField result = field(std::move(name), Type::Time);
  result.time_format = format;
  return result;
}

inline SourceField topic_field(std::string name, Type type, uint32_t segment, uint32_t max_length = default_string_length) {
  SourceField result = field(std::move(name), type, max_length);
  result.origin = FieldOrigin::TopicSegment;
  result.topic_segment = segment;
  result.path.clear();
  return result;
}

inline SourceField arrival_field(std::string name) {
  SourceField result = field(std::move(name), Type::Time);
  result.origin = FieldOrigin::Arrival;
  result.path.clear();
  return result;
}

/// A decoder and the newest message it was given. The padding behind the payload is filled with `padding`, and ends where the
/// buffer ends, so that a sanitizer sees reads behind it.
class Decoding {
 public:
  explicit Decoding(std::vector<SourceField> fields, size_t payload_bytes_max = 4096)
      : decoder_(std::move(fields), payload_bytes_max), values_(decoder_.schema().size()) {}

  bool accepts(std::string_view payload, char padding = '\0') {
    bytes_.assign(payload.size() + payload_padding, static_cast<uint8_t>(padding));
    if (!payload.empty()) memcpy(bytes_.data(), payload.data(), payload.size());
    message_.payload = Bytes(bytes_.data(), payload.size());
    refusal_ = decoder_.decode(message_, values_);
    return refusal_.reason == nullptr;
  }

  Message& message() { return message_; }
  std::string reason() const { return refusal_.reason == nullptr ? "" : refusal_.reason; }
  std::string detail() const { return std::string(refusal_.detail); }

  const Value& value(size_t index = 0) const { return values_[index]; }
  const Value& value(std::string_view name) const { return values_[static_cast<size_t>(decoder_.schema().find(name))]; }
  JsonDecoder& decoder() { return decoder_; }
  std::vector<Value>& values() { return values_; }

 private:
  JsonDecoder decoder_;
  std::vector<Value> values_;
  std::vector<uint8_t> bytes_;
  Message message_;
  Refusal refusal_;
};

}  // namespace weir::json_test
