// TopicTemplate: "alerts/{device}/x" made into a topic, record by record. Parsed at start against the schema at the sink, then
// read only; rendering does not use the heap.
//
// A value fills exactly one piece of one level, whatever it holds: what could change the shape of the topic is percent-encoded
// as in URLs, so that a device named "a/b" publishes to alerts/a%2Fb and nowhere else. Encoded are / + # % and all that MQTT
// forbids or brokers refuse (NUL and other control characters, non-characters of Unicode, bytes that are not UTF-8), and $
// where it would begin the topic. An empty string becomes a lone %, null becomes "null", numbers, booleans and times (ms)
// become their text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agent/base/text_writer.h"
#include "agent/model/record.h"
#include "agent/model/schema.h"

namespace weir {

/// An error in a template's text. `offset` and `length` are bytes of the text.
struct TemplateError {
  size_t offset = 0;
  size_t length = 0;
  std::string message;     // "unknown field \"devic\""
  std::string suggestion;  // the nearest field, or empty
};

class TopicTemplate {
 public:
  /// A topic's length as MQTT counts it, bytes.
  static constexpr size_t topic_bytes_limit = 65535;

  /// Replaces what this was. False, with at least one error appended, if `text` is no template over `schema`; all errors are
  /// found in one pass. Start-up only.
  bool parse(std::string_view text, const Schema& schema, std::vector<TemplateError>& errors);

  /// Appends the topic. False, and nothing appended, if it does not fit. Requires a parsed template and a record of its schema.
  bool render(const Record& record, TextWriter& out) const;

  /// The most bytes a topic can have.
  size_t bytes_max() const { return bytes_max_; }

 private:
  struct Piece {
    std::string literal;
    int field = -1;  // >= 0: a value's place; then literal is empty
  };

  void parse_literal(std::string_view text, size_t offset, std::vector<TemplateError>& errors);
  void parse_field(std::string_view name, size_t offset, const Schema& schema, std::vector<TemplateError>& errors);

  std::vector<Piece> pieces_;
  size_t bytes_max_ = 0;
};

}  // namespace weir
