#include "agent/config/manual_page.h"

#include <cstddef>
#include <vector>

namespace weir {
namespace {

/// One character as roff prints it: a minus that can be copied into a shell, a backslash that is one.
void append_plain(char character, std::string& out) {
  if (character == '\\')
    out += "\\e";
  else if (character == '-')
    out += "\\-";
  else
    out += character;
}

/// Where the link that begins at `start` ends, its text, or npos if none begins there.
size_t link_end(std::string_view text, size_t start, std::string_view& label) {
  const size_t middle = text.find("](", start);
  if (text[start] != '[' || middle == std::string_view::npos) return std::string_view::npos;
  label = text.substr(start + 1, middle - start - 1);
  // A bracket that stands for itself, before another link.
  if (label.find_first_of("[]`") != std::string_view::npos) return std::string_view::npos;
  const size_t end = text.find(')', middle);
  return end == std::string_view::npos ? end : end + 1;
}

/// Text with its `code` in bold; of links the text alone, for a page on paper leads nowhere.
std::string inline_text(std::string_view text) {
  std::string out;
  bool code = false;
  for (size_t at = 0; at < text.size(); ++at) {
    std::string_view label;
    const size_t end = code ? std::string_view::npos : link_end(text, at, label);
    if (end != std::string_view::npos) {
      for (char character : label) append_plain(character, out);
      at = end - 1;
    } else if (text[at] == '`') {
      code = !code;
      out += code ? "\\fB" : "\\fR";
    } else {
      append_plain(text[at], out);
    }
  }
  return code ? out + "\\fR" : out;
}

/// A line of text: roff takes a dot, a quote or a blank at its beginning for something else.
void append_line(const std::string& line, std::string& out) {
  if (!line.empty() && (line[0] == '.' || line[0] == '\'' || line[0] == ' ')) out += "\\&";
  out += line + '\n';
}

/// The cells of "| a | b |"; a bar within code is part of its cell.
std::vector<std::string> cells_of(std::string_view row) {
  std::vector<std::string> cells;
  std::string cell;
  bool code = false;
  for (char character : row.substr(1)) {
    if (character == '`') code = !code;
    if (character != '|' || code) {
      cell += character;
      continue;
    }
    const size_t first = cell.find_first_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1));
    cell.clear();
  }
  return cells;
}

void append_row(const std::vector<std::string>& columns, const std::vector<std::string>& cells, std::string& out) {
  std::string between;
  for (size_t index = 1; index + 1 < cells.size(); ++index) {
    if (cells[index].empty()) continue;
    if (!between.empty()) between += "; ";
    if (index < columns.size() && columns[index] == "default" && cells[index] != "required") between += "default ";
    between += cells[index];
  }
  out += ".TP\n";
  append_line(inline_text(cells.front()), out);
  if (!between.empty()) {
    append_line(inline_text(between), out);
    out += ".br\n";
  }
  if (cells.size() > 1) append_line(inline_text(cells.back()), out);
}

/// Reads line by line; a paragraph begins after an empty line.
class Page {
 public:
  explicit Page(std::string& out) : out_(out) {}

  void take(std::string_view line) {
    const bool row = line.starts_with('|');
    if (!row) columns_.clear();
    if (line.starts_with("# ")) return;
    if (line.starts_with("## "))
      begin_section(line.substr(3));
    else if (line.empty())
      paragraph_ended_ = in_section_;
    else if (row)
      take_row(line);
    else
      take_text(line);
  }

 private:
  void begin_section(std::string_view title) {
    out_ += ".SH \"";
    for (char character : title)
      if (character == '"')
        out_ += "\\(dq";
      else
        append_plain(character, out_);
    out_ += "\"\n";
    paragraph_ended_ = in_section_ = false;
  }

  void take_row(std::string_view line) {
    std::vector<std::string> cells = cells_of(line);
    if (cells.empty() || line.starts_with("|---")) return;
    if (columns_.empty())
      columns_ = std::move(cells);
    else
      append_row(columns_, cells, out_);
    paragraph_ended_ = false;
    in_section_ = true;
  }

  void take_text(std::string_view line) {
    if (paragraph_ended_) out_ += ".PP\n";
    paragraph_ended_ = false;
    in_section_ = true;
    append_line(inline_text(line), out_);
  }

  std::string& out_;
  std::vector<std::string> columns_;  // of the table that the line before belonged to
  bool in_section_ = false;           // something stands below its title already
  bool paragraph_ended_ = false;
};

std::string upper_case(std::string text) {
  for (char& character : text)
    if (character >= 'a' && character <= 'z') character = static_cast<char>(character - 'a' + 'A');
  return text;
}

}  // namespace

std::string manual_page(const ManualHead& head, std::string_view markdown) {
  std::string out = ".TH " + upper_case(head.name) + " " + head.section + " \"\" \"weir " + head.version + "\"\n.SH NAME\n" +
                    inline_text(head.name) + " \\- " + inline_text(head.summary) + "\n.SH DESCRIPTION\n";
  Page page(out);
  while (!markdown.empty()) {
    const size_t end = markdown.find('\n');
    page.take(markdown.substr(0, end));
    markdown.remove_prefix(end == std::string_view::npos ? markdown.size() : end + 1);
  }
  return out;
}

}  // namespace weir
