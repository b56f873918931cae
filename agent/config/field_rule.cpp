#include "agent/config/field_rule.h"

namespace weir {
namespace {

constexpr size_t name_bytes_max = 63;
constexpr size_t path_segments_max = 16;
constexpr uint32_t index_max = 65535;

struct TypeWord {
  const char* word;
  Type type;
};
constexpr TypeWord type_words[] = {
    {"bool", Type::Bool}, {"int", Type::Int}, {"float", Type::Float}, {"string", Type::String}, {"time", Type::Time}};

struct TimeWord {
  const char* word;
  TimeFormat format;
};
constexpr TimeWord time_words[] = {{"s", TimeFormat::Seconds},
                                   {"ms", TimeFormat::Milliseconds},
                                   {"us", TimeFormat::Microseconds},
                                   {"ns", TimeFormat::Nanoseconds},
                                   {"rfc3339", TimeFormat::Rfc3339}};

bool is_word_character(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '_' || character == '-' ||
         static_cast<uint8_t>(character) >= 0x80;
}

/// Reads a rule from left to right; the first thing that is wrong ends it.
class RuleParser {
 public:
  RuleParser(const Text& text, SourceField& field, Diagnostics& diagnostics)
      : text_(text), rule_(text.value), field_(field), diagnostics_(diagnostics) {}

  bool parse() {
    skip_spaces();
    size_t begin = at_;
    std::string_view word = read_word();
    if (word == "topic") return parse_topic_segment() && expect_end();
    if (word == "arrival") {
      field_.origin = FieldOrigin::Arrival;
      field_.field.type = Type::Time;
      return expect_end();
    }
    return parse_type(word, begin) && parse_path();
  }

 private:
  char peek() const { return at_ < rule_.size() ? rule_[at_] : '\0'; }
  bool take(char character) {
    if (at_ >= rule_.size() || rule_[at_] != character) return false;
    ++at_;
    return true;
  }
  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  std::string_view read_word() {
    size_t begin = at_;
    while (at_ < rule_.size() && is_word_character(rule_[at_])) ++at_;
    return rule_.substr(begin, at_ - begin);
  }

  bool fail(size_t begin, size_t end, std::string_view message, std::string_view help = {}) {
    size_t length = std::max<size_t>(1, character_count(rule_.substr(begin, end - begin)));
    diagnostics_.error(inside(text_, begin), length, message, help);
    return false;
  }

  /// Digits up to `maximum`; `what` names the number in the message.
  bool read_number(uint32_t minimum, uint32_t maximum, const char* what, uint32_t& number) {
    size_t begin = at_;
    uint64_t value = 0;
    while (peek() >= '0' && peek() <= '9' && at_ - begin < 12) value = value * 10 + static_cast<uint64_t>(rule_[at_++] - '0');
    if (at_ == begin || value < minimum || value > maximum)
      return fail(begin, at_,
                  std::string(what) + " is a number from " + std::to_string(minimum) + " to " + std::to_string(maximum));
    number = static_cast<uint32_t>(value);
    return true;
  }

  bool expect(char character) {
    if (take(character)) return true;
    return fail(at_, at_ + 1 > rule_.size() ? rule_.size() : at_ + 1, std::string("expected '") + character + "' here");
  }

  bool parse_topic_segment() {
    field_.origin = FieldOrigin::TopicSegment;
    field_.field.type = Type::String;
    field_.field.max_length = default_string_length;
    return expect('[') && read_number(0, topic_segment_max, "the segment of a topic", field_.topic_segment) && expect(']');
  }

  bool parse_type(std::string_view word, size_t begin) {
    const TypeWord* found = nullptr;
    for (const TypeWord& each : type_words)
      if (word == each.word) found = &each;
    if (!found) {
      const std::string words[] = {"bool", "int", "float", "string", "time", "topic", "arrival"};
      return fail(begin, at_, "unknown field type " + quoted(word), suggest(word, words, "there are:"));
    }
    field_.field.type = found->type;
    if (found->type == Type::String) {
      field_.field.max_length = default_string_length;
      if (!take('(')) return true;
      return read_number(1, string_length_max, "a string's length", field_.field.max_length) && expect(')');
    }
    return found->type != Type::Time || parse_time_format(begin);
  }

  bool parse_time_format(size_t begin) {
    constexpr const char* forms = "time(s), time(ms), time(us), time(ns), time(rfc3339) or time(local, Europe/Berlin)";
    if (!take('(')) return fail(begin, at_, "a time needs its unit", forms);
    size_t word_begin = at_;
    std::string_view word = read_word();
    if (word == "local") return parse_zone(word_begin);
    for (const TimeWord& each : time_words) {
      if (word != each.word) continue;
      field_.time_format = each.format;
      return expect(')');
    }
    return fail(word_begin, at_, "unknown unit of time " + quoted(word), forms);
  }

  /// Of `time(local, ZONE)`.
  bool parse_zone(size_t begin) {
    field_.time_format = TimeFormat::Local;
    if (!take(',')) return fail(begin, at_, "a local time needs its time zone", "for example: time(local, Europe/Berlin)");
    skip_spaces();
    const size_t zone_begin = at_;
    while (at_ < rule_.size() && peek() != ')') ++at_;
    size_t zone_end = at_;
    while (zone_end > zone_begin && rule_[zone_end - 1] == ' ') --zone_end;
    Result<TimeZone> zone = TimeZone::load(std::string(rule_.substr(zone_begin, zone_end - zone_begin)));
    if (!zone.ok()) return fail(zone_begin, zone_end, zone.status().text(), "for example: time(local, Europe/Berlin)");
    field_.zone = std::make_shared<const TimeZone>(std::move(zone.value()));
    return expect(')');
  }

  bool parse_path() {
    size_t type_end = at_;
    skip_spaces();
    if (at_ == rule_.size()) {
      field_.path.push_back({field_.field.name, -1});
      return true;
    }
    if (at_ == type_end) return fail(at_, rule_.size(), "unexpected text behind the type");
    size_t begin = at_;
    if (!take('$')) return fail(at_, rule_.size(), "a path begins with $", "for example: float $.ENERGY.Power");
    while (peek() == '.' || peek() == '[') {
      if (field_.path.size() == path_segments_max)
        return fail(at_, rule_.size(), "a path has at most " + std::to_string(path_segments_max) + " segments");
      if (!(take('.') ? parse_member() : parse_bracket())) return false;
    }
    if (field_.path.empty() && at_ == rule_.size())
      return fail(begin, at_, "the path names no member", "for example: $.ENERGY.Power");
    return expect_end();
  }

  bool parse_member() {
    std::string_view word = read_word();
    if (word.empty())
      return fail(at_, rule_.size(), "expected a member's name behind the dot", "odd names are written [\"odd name\"]");
    field_.path.push_back({std::string(word), -1});
    return true;
  }

  bool parse_bracket() {
    expect_taken('[');
    if (peek() == '"') return parse_quoted_member() && expect(']');
    uint32_t index = 0;
    if (!read_number(0, index_max, "an element's position", index)) return false;
    field_.path.push_back({{}, index});
    return expect(']');
  }

  bool parse_quoted_member() {
    size_t begin = at_++;
    PathSegment segment;
    while (at_ < rule_.size() && rule_[at_] != '"') {
      // Quotes and backslashes of a name are written with a backslash.
      if (rule_[at_] == '\\' && at_ + 1 < rule_.size()) ++at_;
      segment.name += rule_[at_++];
    }
    if (!take('"')) return fail(begin, rule_.size(), "the quoted name has no end");
    if (segment.name.empty()) return fail(begin, at_, "the quoted name is empty");
    field_.path.push_back(std::move(segment));
    return true;
  }

  void expect_taken(char character) { WEIR_ASSERT(take(character)); }

  bool expect_end() {
    skip_spaces();
    if (at_ == rule_.size()) return true;
    return fail(at_, rule_.size(), "unexpected text at the end of the field's rule");
  }

  const Text& text_;
  std::string_view rule_;
  SourceField& field_;
  Diagnostics& diagnostics_;
  size_t at_ = 0;
};

}  // namespace

bool parse_field_rule(const Node& node, SourceField& field, Diagnostics& diagnostics) {
  if (node.key.empty() || node.key.size() > name_bytes_max) {
    diagnostics.error(node.key_at, node.key_length, "a field's name has 1 to 63 bytes");
    return false;
  }
  if (node.kind != NodeKind::String) {
    diagnostics.error(node.at, node.length,
                      "the field " + quoted(node.key) + " needs its type in a string, not " + kind_name(node.kind),
                      "for example: " + node.key + " = \"float\"");
    return false;
  }
  field.field.name = node.key;
  return RuleParser(node.text, field, diagnostics).parse();
}

}  // namespace weir
