// StateLayout as text and back.
#include <algorithm>
#include <charconv>
#include <optional>

#include "agent/model/state_layout.h"

namespace weir {
namespace {

/// What a slot can hold, and more than any description needs.
constexpr uint64_t slot_bytes_max = 32 * 1024;
constexpr size_t depth_max = 8;

bool is_plain(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || std::string_view("._-()?").find(character) != std::string_view::npos;
}

std::string word(std::string_view text) {
  if (!text.empty() && std::ranges::all_of(text, is_plain)) return std::string(text);
  std::string quoted = "\"";
  for (char character : text) {
    if (character == '"' || character == '\\') quoted += '\\';
    quoted += character == '\n' ? std::string("\\n") : std::string(1, character);
  }
  return quoted + '"';
}

std::string type_text(Type type, uint32_t max_length) {
  if (type != Type::String) return type_name(type);
  return "string(" + std::to_string(max_length) + ")";
}

std::string number_type(char letter, uint32_t bytes) { return letter + std::to_string(8 * bytes); }

std::string head_of(const StoredField& field) {
  switch (field.kind) {
    case StoredKind::Flag:
      return "flag";
    case StoredKind::Signed:
      return number_type('i', field.size);
    case StoredKind::Unsigned:
      return number_type('u', field.size);
    case StoredKind::Real:
      return number_type('f', field.size);
    case StoredKind::Time:
      return "time";
    case StoredKind::Cell:
      return type_text(field.type, field.max_length) + "?";
    case StoredKind::Raw:
      return "bytes(" + std::to_string(field.size) + ")";
    case StoredKind::Aggregate:
      return "aggregate(" + std::to_string(field.size) + ")";
    case StoredKind::Argument:
      return "argument";
    case StoredKind::Record:
      return "record";
    case StoredKind::List:
      return "list";
    case StoredKind::Ring:
      return "ring";
  }
  return {};
}

void append_fields(const StoredFields& fields, const std::string& front, std::string& text) {
  for (const StoredField& field : fields.all()) {
    text += front + head_of(field) + " " + word(field.name);
    if (field.kind == StoredKind::Aggregate) text += " " + word(field.made_by);
    if (field.kind == StoredKind::Argument) text += " " + type_text(field.type, field.max_length);
    if (field.kind == StoredKind::List || field.kind == StoredKind::Ring) text += " " + std::to_string(field.count);
    const bool says_more = field.kind == StoredKind::Aggregate || field.kind == StoredKind::Argument || !field.text.empty();
    if (says_more) text += " " + word(field.text);
    text += "\n";
    if (field.kind != StoredKind::Record && field.kind != StoredKind::List && field.kind != StoredKind::Ring) continue;
    append_fields(field.fields, front + "  ", text);
    text += front + "end\n";
  }
}

std::optional<uint32_t> number_of(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return number;
}

/// N of "name(N)".
std::optional<uint32_t> size_in(std::string_view text, std::string_view name) {
  if (!text.starts_with(name) || !text.ends_with(")") || text.size() < name.size() + 2 || text[name.size()] != '(') return {};
  return number_of(text.substr(name.size() + 1, text.size() - name.size() - 2));
}

std::optional<Field> typed(std::string_view type, std::string name) {
  for (Type each : {Type::Null, Type::Bool, Type::Int, Type::Float, Type::Time})
    if (type == type_name(each)) return Field{std::move(name), each, 0};
  const std::optional<uint32_t> length = size_in(type, "string");
  if (!length || *length > UINT16_MAX) return {};
  return Field{std::move(name), Type::String, *length};
}

}  // namespace

/// Reads one text, line by line.
class LayoutReader {
 public:
  explicit LayoutReader(std::string_view text) : rest_(text) {}

  bool read(StateLayout& layout) {
    if (!next_line() || words_.empty()) return false;
    layout.kind = std::move(line_);
    while (next_line()) {
      if (words_.empty() || !read_line(layout)) return false;
      if (layout.slot_bytes() > slot_bytes_max || layout.own.bytes() > slot_bytes_max) return false;
    }
    return good_ && rest_.empty();
  }

 private:
  bool read_line(StateLayout& layout) {
    if (words_[0] == "shape") return words_.size() == 3 && (layout.add_shape(words_[1], words_[2]), true);
    if (words_[0] == "key") {
      std::optional<Field> field = words_.size() == 3 ? typed(words_[2], words_[1]) : std::nullopt;
      if (!field || field->type == Type::Null) return false;
      layout.key.push_back(std::move(*field));
      return true;
    }
    if (words_[0] != "own") return read_field(layout.fields, 0);
    words_.erase(words_.begin());
    return read_field(layout.own, 0);
  }

  bool read_field(StoredFields& fields, size_t depth) {
    if (words_.size() < 2 || words_[0].empty() || depth > depth_max) return false;
    const std::string head = words_[0];
    if (head == "record" || head == "list" || head == "ring") return read_group(head, fields, depth);
    if (head == "argument") return read_argument(fields);
    if (const std::optional<uint32_t> bytes = size_in(head, "aggregate")) {
      if (words_.size() != 4) return false;
      fields.add_aggregate(*bytes, words_[1], words_[2], words_[3]);
      return *bytes <= slot_bytes_max;
    }
    if (const std::optional<uint32_t> bytes = size_in(head, "bytes")) {
      if (words_.size() > 3) return false;
      fields.add_bytes(*bytes, words_[1], words_.size() == 3 ? words_[2] : "");
      return *bytes <= slot_bytes_max;
    }
    return words_.size() == 2 && read_number(head, fields);
  }

  bool read_number(const std::string& head, StoredFields& fields) {
    if (head.ends_with("?")) {
      std::optional<Field> field = typed(std::string_view(head).substr(0, head.size() - 1), words_[1]);
      if (!field || field->type == Type::Null) return false;
      fields.add_cell(field->name, field->type, field->max_length);
      return true;
    }
    if (head == "flag") return fields.add_flag(words_[1]), true;
    if (head == "time") return fields.add_time(words_[1]), true;
    const std::optional<uint32_t> bits = number_of(std::string_view(head).substr(1));
    if (!bits || (*bits != 8 && *bits != 16 && *bits != 32 && *bits != 64)) return false;
    if (head[0] == 'i') return fields.add_signed(*bits / 8, words_[1]), true;
    if (head[0] == 'u') return fields.add_unsigned(*bits / 8, words_[1]), true;
    if (head[0] != 'f' || *bits < 32) return false;
    return fields.add_real(*bits / 8, words_[1]), true;
  }

  bool read_argument(StoredFields& fields) {
    const std::optional<Field> field = words_.size() == 4 ? typed(words_[2], words_[1]) : std::nullopt;
    if (!field) return false;
    fields.add_argument(field->name, field->type, field->max_length, words_[3]);
    return true;
  }

  bool read_group(const std::string& head, StoredFields& fields, size_t depth) {
    StoredField group;
    group.kind = head == "record" ? StoredKind::Record : head == "list" ? StoredKind::List : StoredKind::Ring;
    group.name = words_[1];
    if (head == "record") {
      if (words_.size() != 2) return false;
    } else {
      const std::optional<uint32_t> count = words_.size() >= 3 ? number_of(words_[2]) : std::nullopt;
      if (!count || *count > slot_bytes_max || words_.size() > (head == "list" ? 4U : 3U)) return false;
      group.count = *count;
      if (words_.size() == 4) group.text = words_[3];
    }
    while (next_line() && !words_.empty()) {
      if (words_[0] == "end") {
        fields.fields_.push_back(std::move(group));
        return true;
      }
      if (words_[0] == "own") words_.erase(words_.begin());
      if (words_.empty() || !read_field(group.fields, depth + 1)) return false;
      if (group.fields.bytes() > slot_bytes_max) return false;
    }
    return false;
  }

  /// False at the end. A line that cannot be cut into words has none.
  bool next_line() {
    if (rest_.empty()) return false;
    const size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    words_.clear();
    good_ &= cut(line_);
    if (!good_) words_.clear();
    return true;
  }

  bool cut(std::string_view line) {
    for (size_t at = 0; at < line.size();) {
      if (line[at] == ' ') {
        ++at;
        continue;
      }
      std::string next;
      if (line[at] != '"') {
        while (at < line.size() && line[at] != ' ') next += line[at++];
      } else {
        for (++at; at < line.size() && line[at] != '"'; ++at) {
          const bool escaped = line[at] == '\\' && at + 1 < line.size();
          if (escaped) ++at;
          next += escaped && line[at] == 'n' ? '\n' : line[at];
        }
        if (at == line.size()) return false;
        ++at;
      }
      words_.push_back(std::move(next));
    }
    return true;
  }

  std::string_view rest_;
  std::string line_;
  std::vector<std::string> words_;
  bool good_ = true;
};

std::string StateLayout::text() const {
  std::string text = kind + "\n";
  for (const auto& [name, value] : shape) text += "shape " + word(name) + " " + word(value) + "\n";
  for (const Field& field : key) text += "key " + word(field.name) + " " + type_text(field.type, field.max_length) + "\n";
  append_fields(own, "own ", text);
  append_fields(fields, "", text);
  return text;
}

Result<StateLayout> StateLayout::parse(std::string_view text) {
  StateLayout layout;
  if (!LayoutReader(text).read(layout)) return Status(Code::Corrupt, "the description of stored state cannot be read");
  return layout;
}

}  // namespace weir
