#include "agent/config/toml_document.h"

#include <algorithm>

// toml++ asserts on malformed text such as "[!"; what a user wrote must end in a diagnostic.
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ASSERT(condition) static_assert(true)
// Each level of nesting costs stack, also when the tree is taken down; see also key_parts_max.
#define TOML_MAX_NESTED_VALUES 32
#include <toml++/toml.h>

namespace weir {
namespace {

// toml++ makes a table per part of a dotted key and takes them down recursively.
constexpr size_t key_parts_max = 32;

/// Looks, before toml++ does, for what toml++ does not survive: a dotted key with more than key_parts_max parts, and characters
/// beyond ASCII outside strings and comments (undefined behaviour in its tables). Up to the first error of the text, which
/// toml++ reports, it tells strings and comments apart as TOML does.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  /// What is wrong at `offset()`, or empty.
  std::string find_problem() {
    while (at_ < text_.size()) {
      char character = text_[at_];
      if ((character == '"' || character == '\'') && string_may_begin()) {
        skip_string(character);
        continue;
      }
      if (character == '#') at_ = std::min(text_.find('\n', at_), text_.size());
      if (static_cast<uint8_t>(character) >= 0x80)
        return "unexpected character outside quotes; a key without quotes is made of A-Z a-z 0-9 _ -";
      if (character == '.' && ++dots_ >= key_parts_max)
        return "a dotted key has at most " + std::to_string(key_parts_max) + " parts";
      if (std::string_view("#=,[]{}\n").find(character) != std::string_view::npos) dots_ = 0;
      ++at_;
    }
    return {};
  }
  size_t offset() const { return at_; }

 private:
  /// A quote right behind something else is an error, and toml++ then looks at what follows as at anything outside strings.
  bool string_may_begin() const {
    return at_ == 0 || std::string_view(" \t\r\n=,.[{").find(text_[at_ - 1]) != std::string_view::npos;
  }
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }

  void skip_string(char quote) {
    std::string triple(3, quote);
    if (starts(triple)) return skip_multi_line(quote, triple);
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\n') return;
      if (quote == '"' && text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
    }
    at_ = std::min(text_.size(), at_ + 1);
  }

  void skip_multi_line(char quote, const std::string& triple) {
    for (at_ += 3; at_ < text_.size() && !starts(triple); ++at_)
      if (quote == '"' && text_[at_] == '\\') ++at_;
    at_ = std::min(text_.size(), at_ + 3);
    // Up to two quotes before the closing ones belong to the text.
    for (int more = 0; more < 2 && at_ < text_.size() && text_[at_] == quote; ++more) ++at_;
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t dots_ = 0;
};

/// The commonest slip: `interval = 5s` without quotes. `rest` is the line from the unit on, `before` the line up to it.
std::string unquoted_quantity_help(std::string_view before, std::string_view rest) {
  size_t number = before.find_last_not_of("0123456789.");
  number = number == std::string_view::npos ? 0 : number + 1;
  std::string_view unit = rest.substr(0, rest.find_first_of(" \t,#}]"));
  if (number == before.size()) return {};
  for (std::string_view known : {"ms", "s", "min", "h", "d", "B", "KiB", "MiB", "GiB", "kB", "MB", "GB"})
    if (unit == known)
      return "durations and sizes stand in quotes: \"" + std::string(before.substr(number)) + std::string(unit) + "\"";
  return {};
}

/// Moves toml++'s tree into ours. The file's lines are indexed once, for the lengths and the insides of strings.
class Converter {
 public:
  Converter(const ConfigFile& file, uint32_t index) : text_(file.text), index_(index) {
    starts_.push_back(0);
    for (size_t at = 0; at < text_.size(); ++at)
      if (text_[at] == '\n') starts_.push_back(at + 1);
  }

  Location location(toml::source_position position) const {
    uint32_t line = std::clamp<uint32_t>(position.line, 1, static_cast<uint32_t>(starts_.size()));
    size_t characters = character_count(line_text(line));
    if (line != position.line) return {index_, line, static_cast<uint32_t>(characters + 1)};
    return {index_, line, std::clamp<uint32_t>(position.column, 1, static_cast<uint32_t>(characters + 1))};
  }

  Location location(size_t offset) const {
    size_t line = static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), offset) - starts_.begin());
    size_t begin = starts_[line - 1];
    size_t column = character_count(std::string_view(text_).substr(begin, offset - begin)) + 1;
    return {index_, static_cast<uint32_t>(line), static_cast<uint32_t>(column)};
  }

  Node convert(const toml::node& from) const {
    Node to;
    to.at = location(from.source().begin);
    to.length = length_of(from.source());
    if (const toml::table* table = from.as_table()) {
      convert_table(*table, to);
    } else if (const toml::array* array = from.as_array()) {
      to.kind = NodeKind::Array;
      to.is_inline = !array->is_array_of_tables() || array->get(0)->as_table()->is_inline();
      for (const toml::node& each : *array) to.children.push_back(convert(each));
    } else {
      convert_scalar(from, to);
    }
    return to;
  }

  std::string help_at(Location at) const {
    std::string_view line = line_text(at.line);
    size_t before = offset_of(at) - starts_[at.line - 1];
    return unquoted_quantity_help(line.substr(0, before), line.substr(before));
  }

 private:
  std::string_view line_text(uint32_t line) const {
    size_t begin = starts_[line - 1];
    size_t end = line < starts_.size() ? starts_[line] - 1 : text_.size();
    std::string_view text = std::string_view(text_).substr(begin, end - begin);
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    return text;
  }

  uint32_t length_of(const toml::source_region& region) const {
    Location begin = location(region.begin);
    Location end = location(region.end);
    if (end.line == begin.line) return std::max(end.column, begin.column + 1) - begin.column;
    uint32_t past_line = static_cast<uint32_t>(character_count(line_text(begin.line))) + 1;
    return std::max(past_line, begin.column + 1) - begin.column;
  }

  size_t offset_of(Location at) const {
    std::string_view line = line_text(at.line);
    for (uint32_t column = 1; column < at.column && !line.empty(); ++column) {
      do line.remove_prefix(1);
      while (!line.empty() && (static_cast<uint8_t>(line[0]) & 0xC0) == 0x80);
    }
    return static_cast<size_t>(line.data() - text_.data());
  }

  void convert_table(const toml::table& table, Node& to) const {
    to.kind = NodeKind::Table;
    to.is_inline = table.is_inline();
    for (auto&& [key, value] : table) {
      to.children.push_back(convert(value));
      Node& child = to.children.back();
      child.key = std::string(key.str());
      child.key_at = location(key.source().begin);
      child.key_length = length_of(key.source());
    }
    // toml++ keeps its tables in the order of the keys.
    std::stable_sort(to.children.begin(), to.children.end(), [](const Node& a, const Node& b) {
      return a.key_at.line != b.key_at.line ? a.key_at.line < b.key_at.line : a.key_at.column < b.key_at.column;
    });
  }

  void convert_scalar(const toml::node& from, Node& to) const {
    if (const auto* text = from.as_string()) {
      to.kind = NodeKind::String;
      to.text.value = text->get();
      find_inside(from.source(), to);
    } else if (const auto* integer = from.as_integer()) {
      to.kind = NodeKind::Integer;
      to.integer = integer->get();
    } else if (const auto* real = from.as_floating_point()) {
      to.kind = NodeKind::Float;
      to.real = real->get();
    } else if (const auto* boolean = from.as_boolean()) {
      to.kind = NodeKind::Boolean;
      to.boolean = boolean->get();
    } else {
      to.kind = NodeKind::DateTime;
    }
  }

  /// Where a string's characters begin, and how they are written if that is not the value itself.
  void find_inside(const toml::source_region& region, Node& to) const {
    size_t begin = offset_of(to.at);
    size_t end = offset_of(location(region.end));
    std::string_view token = std::string_view(text_).substr(begin, end - std::min(begin, end));
    size_t quotes = token.starts_with("\"\"\"") || token.starts_with("'''") ? 3 : 1;
    to.text.at = to.at;
    to.text.at.column += static_cast<uint32_t>(quotes);
    if (token.size() < 2 * quotes) return;
    bool escapes = token[0] == '"';
    token = token.substr(quotes, token.size() - 2 * quotes);
    size_t line_break = token.starts_with("\r\n") ? 2 : token.starts_with("\n") ? 1 : 0;
    if (quotes == 3 && line_break > 0) {
      token.remove_prefix(line_break);
      to.text.at.line += 1;
      to.text.at.column = 1;
    }
    if (escapes && token != to.text.value) to.text.written = std::string(token);
  }

  const std::string& text_;
  uint32_t index_;
  std::vector<size_t> starts_;
};

/// "Error while parsing X: Y" as toml++ says it becomes Y, and X goes behind it.
std::string readable(std::string_view description) {
  constexpr std::string_view opening = "Error while parsing ";
  size_t colon = description.find(": ");
  if (!description.starts_with(opening) || colon == std::string_view::npos) return std::string(description);
  std::string_view what = description.substr(opening.size(), colon - opening.size());
  return std::string(description.substr(colon + 2)) + " (in a TOML " + std::string(what) + ")";
}

}  // namespace

const char* kind_name(NodeKind kind) {
  switch (kind) {
    case NodeKind::Boolean:
      return "a boolean";
    case NodeKind::Integer:
      return "an integer";
    case NodeKind::Float:
      return "a float";
    case NodeKind::String:
      return "a string";
    case NodeKind::DateTime:
      return "a date";
    case NodeKind::Array:
      return "an array";
    case NodeKind::Table:
      return "a table";
  }
  return "";
}

const Node* Node::find(std::string_view name) const {
  for (const Node& child : children)
    if (child.key == name) return &child;
  return nullptr;
}

Node* Node::find(std::string_view name) { return const_cast<Node*>(static_cast<const Node*>(this)->find(name)); }

bool parse_toml(const ConfigFiles& files, uint32_t index, Node& root, Diagnostics& diagnostics) {
  const ConfigFile& file = files[index];
  Converter converter(file, index);
  Scan scan(file.text);
  if (std::string problem = scan.find_problem(); !problem.empty()) {
    diagnostics.error(converter.location(scan.offset()), 1, problem);
    return false;
  }
  toml::parse_result result = toml::parse(std::string_view(file.text), std::string_view(file.name));
  if (!result) {
    Location at = converter.location(result.error().source().begin);
    diagnostics.error(at, 1, readable(result.error().description()), converter.help_at(at));
    return false;
  }
  root = converter.convert(result.table());
  root.at = {index, 1, 1};
  root.length = 1;
  return true;
}

}  // namespace weir
