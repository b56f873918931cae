#include "connectors/file/csv_rows.h"

namespace weir {

CsvRows::CsvRows(std::span<char> text) : text_(text) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (std::string_view(text.data(), text.size()).starts_with(byte_order_mark)) at_ = byte_order_mark.size();
}

void CsvRows::skip_line_end() {
  if (at_ < text_.size() && text_[at_] == '\r') ++at_;
  if (at_ < text_.size() && text_[at_] == '\n') ++at_;
  ++next_line_;
}

bool CsvRows::next(std::span<CsvCell> cells, size_t& count) {
  while (at_ < text_.size() && at_line_end()) skip_line_end();
  if (at_ == text_.size()) return false;
  line_ = next_line_;
  for (count = 0;;) {
    const CsvCell cell = take_cell();
    if (count < cells.size()) cells[count] = cell;
    ++count;
    if (at_line_end()) break;
    ++at_;  // the comma
  }
  skip_line_end();
  return true;
}

/// What is in quotes moves together as doubled quotes become one.
CsvCell CsvRows::take_cell() {
  const size_t begin = at_;
  size_t end = at_;
  CsvCell cell;
  bool inside = false;
  for (; at_ < text_.size(); ++at_) {
    const char character = text_[at_];
    if (character == '"' && inside && at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
      ++at_;
    } else if (character == '"') {
      inside = !inside;
      cell.quoted = true;
      continue;
    } else if (!inside && (character == ',' || at_line_end())) {
      break;
    }
    if (character == '\n') ++next_line_;
    text_[end++] = character;
  }
  unfinished_ |= inside;
  cell.text = {text_.data() + begin, end - begin};
  return cell;
}

}  // namespace weir
