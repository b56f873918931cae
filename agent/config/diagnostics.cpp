#include "agent/config/diagnostics.h"

#include <algorithm>

#include "agent/base/nearest_name.h"
#include "agent/base/utf8.h"

namespace weir {
namespace {

constexpr size_t shown_characters_max = 160;
constexpr size_t quoted_bytes_max = 60;
constexpr size_t suggested_name_max = 64;

/// The length in bytes of the character that `text` begins with; a byte that is not UTF-8 counts as one.
size_t character_length(std::string_view text) { return std::max<size_t>(1, utf8_sequence_length(text)); }

/// A source line as characters that a terminal shows in one cell and without side effects; tabs stay.
std::vector<std::string> printable_characters(std::string_view line) {
  std::vector<std::string> characters;
  while (!line.empty()) {
    size_t length = utf8_sequence_length(line);
    uint8_t first = static_cast<uint8_t>(line[0]);
    bool shown = length > 0 && (first >= 0x20 || first == '\t') && first != 0x7F &&
                 !(first == 0xC2 && line.size() > 1 && static_cast<uint8_t>(line[1]) < 0xA0);
    characters.push_back(shown ? std::string(line.substr(0, length)) : "?");
    line.remove_prefix(std::max<size_t>(1, length));
  }
  return characters;
}

struct Style {
  const char* severity;
  const char* bold;
  const char* caret;
  const char* reset;
};

Style style_of(Severity severity, bool color) {
  if (!color) return {"", "", "", ""};
  const char* name = severity == Severity::Error ? "\x1b[1;31m" : severity == Severity::Warning ? "\x1b[1;35m" : "\x1b[1;36m";
  return {name, "\x1b[1m", "\x1b[1;32m", "\x1b[0m"};
}

const char* severity_name(Severity severity) {
  return severity == Severity::Error ? "error" : severity == Severity::Warning ? "warning" : "note";
}

/// The source line and the carets below it. A long line is cut around the token.
void append_source(std::string& out, const Diagnostic& diagnostic, std::string_view line, const Style& style) {
  std::vector<std::string> characters = printable_characters(line);
  size_t column = std::min<size_t>(std::max<uint32_t>(diagnostic.at.column, 1) - 1, characters.size());
  size_t length = std::min<size_t>(std::max<uint32_t>(diagnostic.length, 1), std::max<size_t>(1, characters.size() - column));
  size_t begin =
      characters.size() > shown_characters_max && column > shown_characters_max / 2 ? column - shown_characters_max / 2 : 0;
  size_t end = std::min(characters.size(), begin + shown_characters_max);
  length = std::min(length, std::max<size_t>(1, end - column));

  std::string margin = begin > 0 ? "..." : "";
  out += margin;
  for (size_t index = begin; index < end; ++index) out += characters[index];
  out += end < characters.size() ? "...\n" : "\n";
  out.append(margin.size(), ' ');
  // A tab above stays a tab below, whatever its width.
  for (size_t index = begin; index < column; ++index) out += characters[index] == "\t" ? '\t' : ' ';
  out += style.caret;
  out += '^';
  out.append(length - 1, '~');
  out += style.reset;
}

void append_diagnostic(std::string& out, const Diagnostic& diagnostic, const ConfigFiles& files, bool color) {
  Style style = style_of(diagnostic.severity, color);
  const ConfigFile* file = diagnostic.at.file < files.size() ? &files[diagnostic.at.file] : nullptr;
  bool placed = file != nullptr && diagnostic.at.line > 0;
  out += style.bold;
  if (file) out += file->name + (placed && !file->is_override ? ":" : ": ");
  if (placed && !file->is_override)
    out += std::to_string(diagnostic.at.line) + ":" + std::to_string(diagnostic.at.column) + ": ";
  out += style.severity;
  out += severity_name(diagnostic.severity);
  out += ": ";
  out += style.reset;
  out += diagnostic.message + "\n";
  if (placed) append_source(out, diagnostic, file->line(diagnostic.at.line), style);
  if (!diagnostic.help.empty()) out += (placed ? " " : "") + diagnostic.help;
  if (placed || !diagnostic.help.empty()) out += "\n";
}

bool earlier(const Diagnostic* a, const Diagnostic* b) {
  if (a->at.file != b->at.file) return a->at.file < b->at.file;
  if (a->at.line != b->at.line) return a->at.line < b->at.line;
  return a->at.column < b->at.column;
}

/// Where a TOML escape sequence ends that begins at `at`, and how many bytes of UTF-8 it stands for.
struct Escape {
  size_t end;
  size_t bytes;
};

Escape read_escape(std::string_view written, size_t at) {
  char kind = at + 1 < written.size() ? written[at + 1] : '\0';
  if (kind == 'u' || kind == 'U') {
    size_t end = std::min(written.size(), at + (kind == 'u' ? 6u : 10u));
    unsigned long code = strtoul(std::string(written.substr(at + 2, end - at - 2)).c_str(), nullptr, 16);
    return {end, code < 0x80 ? 1u : code < 0x800 ? 2u : code < 0x10000 ? 3u : 4u};
  }
  if (kind != ' ' && kind != '\t' && kind != '\r' && kind != '\n') return {std::min(written.size(), at + 2), 1};
  // A backslash at the end of a line swallows all white space up to the next text.
  size_t end = written.find_first_not_of(" \t\r\n", at + 1);
  return {end == std::string_view::npos ? written.size() : end, 0};
}

void step_over(Location& at, std::string_view characters) {
  while (!characters.empty()) {
    size_t length = character_length(characters);
    if (characters[0] == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
    characters.remove_prefix(length);
  }
}

}  // namespace

std::string_view ConfigFile::line(uint32_t number) const {
  std::string_view rest = text;
  for (uint32_t current = 1; current < number; ++current) {
    size_t end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    rest.remove_prefix(end + 1);
  }
  std::string_view line = rest.substr(0, rest.find('\n'));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

Location inside(const Text& text, size_t byte_offset) {
  Location at = text.at;
  if (at.line == 0) return at;
  bool escaped = !text.written.empty();
  std::string_view from = escaped ? text.written : text.value;
  size_t position = 0;
  for (size_t value_bytes = 0; position < from.size();) {
    Escape next = {position + character_length(from.substr(position)), 0};
    if (escaped && from[position] == '\\') {
      next = read_escape(from, position);
    } else {
      next.bytes = next.end - position;
    }
    // An offset within a character stays on the character; what stands for no byte at all is passed over.
    if (next.bytes > 0 && value_bytes + next.bytes > byte_offset) break;
    value_bytes += next.bytes;
    step_over(at, from.substr(position, next.end - position));
    position = next.end;
  }
  return at;
}

void Diagnostics::error(Location at, size_t length, std::string_view message, std::string_view help) {
  add({Severity::Error, at, static_cast<uint32_t>(length), std::string(message), std::string(help)});
}

void Diagnostics::warning(Location at, size_t length, std::string_view message, std::string_view help) {
  add({Severity::Warning, at, static_cast<uint32_t>(length), std::string(message), std::string(help)});
}

void Diagnostics::note(Location at, size_t length, std::string_view message, std::string_view help) {
  add({Severity::Note, at, static_cast<uint32_t>(length), std::string(message), std::string(help)});
}

size_t Diagnostics::count(Severity severity) const {
  return static_cast<size_t>(
      std::count_if(all_.begin(), all_.end(), [&](const Diagnostic& each) { return each.severity == severity; }));
}

std::string Diagnostics::format(const ConfigFiles& files, bool color, bool with_notes) const {
  std::vector<const Diagnostic*> ordered;
  for (const Diagnostic& each : all_)
    if (with_notes || each.severity != Severity::Note) ordered.push_back(&each);
  std::stable_sort(ordered.begin(), ordered.end(), earlier);
  std::string out;
  for (const Diagnostic* each : ordered) append_diagnostic(out, *each, files, color);
  return out;
}

std::string suggest(std::string_view name, std::span<const std::string> candidates, std::string_view label) {
  std::string nearest = name.size() <= suggested_name_max ? nearest_name(name, candidates) : std::string();
  if (!nearest.empty()) return "did you mean " + quoted(nearest) + "?";
  std::string list;
  for (const std::string& candidate : candidates) list += (list.empty() ? " " : ", ") + candidate;
  return list.empty() ? list : std::string(label) + list;
}

std::string quoted(std::string_view text) {
  if (text.size() <= quoted_bytes_max) return "\"" + std::string(text) + "\"";
  size_t end = quoted_bytes_max;
  while (end > 0 && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  return "\"" + std::string(text.substr(0, end)) + "...\"";
}

size_t character_count(std::string_view text) {
  size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(character_length(text));
  return count;
}

}  // namespace weir
