// ReplayInput: the messages of a recording, one after the other. Allocates; one thread.
#pragma once

#include <istream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/config/spec.h"
#include "connectors/file/csv_rows.h"

namespace weir {

/// A topic that the pipeline's first source takes: its first filter with each wildcard as "replay".
std::string topic_for(const PipelineSpec& pipeline);
/// What the source reads that takes messages of this topic; nothing if none does.
const std::vector<SourceField>& fields_for(const PipelineSpec& pipeline, std::string_view topic);

class ReplayInput {
 public:
  /// Lines of payloads, of `TOPIC PAYLOAD` or of `SECONDS TOPIC PAYLOAD`; or CSV, whose first row names the columns: each
  /// further row becomes a JSON object. A cell of a column that one of `fields` reads as a string is a text, whatever it looks
  /// like, and null where it is empty without quotes. That of another field is what it looks like, in quotes or not: number,
  /// true, false, null, a text, and null where it is empty. `topic` is that of messages without one. The stream must outlive
  /// this.
  ReplayInput(std::istream& stream, bool csv, std::string topic, const std::vector<SourceField>& fields);

  /// Goes to the next message; false at the end. Empty lines are left out.
  bool next();
  std::string_view topic() const { return topic_; }
  std::string_view payload() const { return payload_; }
  /// When it came, ms since 1970; 0 where the recording does not say.
  int64_t arrival_ms() const { return arrival_ms_; }
  /// Of the message, from 1.
  uint64_t line() const { return line_; }

 private:
  bool read_line();
  void read_names(const std::vector<SourceField>& fields);
  void object_from(std::span<const CsvCell> row);
  void split_topic();
  void split_arrival();
  void skip_blanks();

  std::istream& stream_;
  bool csv_;
  std::string standard_topic_;
  std::string text_;
  std::optional<CsvRows> rows_;  // over text_
  struct Column {
    std::string name;
    bool text = false;  // a field reads it as a string
  };
  std::vector<Column> columns_;
  std::vector<CsvCell> cells_;
  std::string object_;
  std::string_view topic_;
  std::string_view payload_;
  int64_t arrival_ms_ = 0;
  uint64_t line_ = 0;
};

}  // namespace weir
