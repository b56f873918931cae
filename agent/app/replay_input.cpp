#include "agent/app/replay_input.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "agent/base/json_string.h"
#include "agent/model/topic_match.h"

namespace weir {
namespace {

/// Decoders refuse a whole document for an integer that 64 bits do not hold.
bool is_too_large(std::string_view text) {
  if (text.find_first_not_of("-0123456789") != std::string_view::npos) return false;
  int64_t value = 0;
  uint64_t positive = 0;
  return std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{} &&
         std::from_chars(text.data(), text.data() + text.size(), positive).ec != std::errc{};
}

/// Whether JSON would read it as a number; what only looks like one (01, 1., +1, nan) is a text.
bool is_number(std::string_view text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  const size_t digits = text.starts_with('-') ? 1 : 0;
  const bool plain = text.size() > digits && text[digits] >= '0' && text[digits] <= '9' && text.back() != '.';
  const bool leading_zero =
      text.size() > digits + 1 && text[digits] == '0' && text[digits + 1] >= '0' && text[digits + 1] <= '9';
  return result.ec == std::errc{} && result.ptr == end && plain && !leading_zero && !is_too_large(text) &&
         text.find(".e") == std::string_view::npos && text.find(".E") == std::string_view::npos;
}

/// Whether JSON would read it as something else than a text.
bool is_literal(std::string_view text) { return text == "true" || text == "false" || text == "null" || is_number(text); }

}  // namespace

std::string topic_for(const PipelineSpec& pipeline) {
  std::string topic;
  for (char character : without_share(pipeline.first_source().topics.front().value))
    topic += character == '+' || character == '#' ? "replay" : std::string(1, character);
  return topic;
}

const std::vector<SourceField>& fields_for(const PipelineSpec& pipeline, std::string_view topic) {
  static const std::vector<SourceField> none;
  for (const SourceSpec& source : pipeline.source)
    for (const Text& filter : source.topics)
      if (topic_matches(without_share(filter.value), topic)) return source.fields;
  return none;
}

ReplayInput::ReplayInput(std::istream& stream, bool csv, std::string topic, const std::vector<SourceField>& fields)
    : stream_(stream), csv_(csv), standard_topic_(std::move(topic)) {
  if (csv_) read_names(fields);
}

void ReplayInput::read_names(const std::vector<SourceField>& fields) {
  text_.assign(std::istreambuf_iterator<char>(stream_), {});
  rows_.emplace(text_);
  cells_.resize(csv_columns_max);
  size_t count = 0;
  if (!rows_->next(cells_, count)) return;
  for (const CsvCell& cell : std::span(cells_).first(std::min(count, cells_.size()))) {
    const auto reads_as_text = [&](const SourceField& field) {
      return field.origin == FieldOrigin::Payload && field.field.type == Type::String && field.path.size() == 1 &&
             field.path[0].name == cell.text;
    };
    columns_.push_back({std::string(cell.text), std::ranges::any_of(fields, reads_as_text)});
  }
}

bool ReplayInput::read_line() {
  if (!std::getline(stream_, text_)) return false;
  ++line_;
  if (text_.ends_with('\r')) text_.pop_back();
  return true;
}

bool ReplayInput::next() {
  topic_ = standard_topic_;
  if (csv_) {
    size_t count = 0;
    if (!rows_->next(cells_, count)) return false;
    line_ = rows_->line();
    object_from(std::span(cells_).first(std::min(count, cells_.size())));
    payload_ = object_;
    return true;
  }
  do {
    if (!read_line()) return false;
  } while (text_.empty());
  payload_ = text_;
  split_topic();
  return true;
}

/// Seconds since 1970 with a fraction, in front of the topic.
void ReplayInput::split_arrival() {
  arrival_ms_ = 0;
  const size_t blank = payload_.find(' ');
  if (blank == std::string_view::npos || payload_.find(' ', blank + 1) == std::string_view::npos) return;
  double seconds = 0;
  const auto result = std::from_chars(payload_.data(), payload_.data() + blank, seconds);
  const bool sensible = seconds >= 0 && seconds <= 1e11;  // which no "nan" is
  if (result.ec != std::errc{} || result.ptr != payload_.data() + blank || !sensible) return;
  arrival_ms_ = static_cast<int64_t>(seconds * 1000);
  payload_.remove_prefix(blank + 1);
}

void ReplayInput::skip_blanks() { payload_.remove_prefix(std::min(payload_.find_first_not_of(' '), payload_.size())); }

/// A payload of JSON begins with a bracket; everything else that has a blank in it begins with its topic.
void ReplayInput::split_topic() {
  skip_blanks();
  split_arrival();
  skip_blanks();
  const size_t blank = payload_.find(' ');
  if (payload_.empty() || payload_[0] == '{' || payload_[0] == '[' || blank == std::string_view::npos) return;
  topic_ = payload_.substr(0, blank);
  payload_ = payload_.substr(blank + 1);
}

void ReplayInput::object_from(std::span<const CsvCell> row) {
  object_.assign(1, '{');
  for (size_t index = 0; index < columns_.size() && index < row.size(); ++index) {
    const CsvCell& cell = row[index];
    const Column& column = columns_[index];
    if (index > 0) object_ += ',';
    object_ += json_string(column.name);
    object_ += ':';
    if (cell.text.empty() && !(cell.quoted && column.text))
      object_ += "null";
    else if (column.text || !is_literal(cell.text))
      object_ += json_string(cell.text);
    else
      object_ += cell.text;
  }
  object_ += '}';
}

}  // namespace weir
