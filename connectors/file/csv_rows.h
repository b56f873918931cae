// CsvRows: rows of CSV (RFC 4180) in a text, taken apart in place: cells in quotes may hold commas, doubled quotes and line
// breaks. Empty lines are left out, as is a byte order mark. No heap; the text is changed and must outlive the cells.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace weir {

/// More columns than any table has that weir reads.
constexpr size_t csv_columns_max = 256;

struct CsvCell {
  std::string_view text;
  bool quoted = false;
};

class CsvRows {
 public:
  explicit CsvRows(std::span<char> text);

  /// Takes the next row apart; `count` is the number of its cells, of which `cells` holds as many as fit. False at the end.
  bool next(std::span<CsvCell> cells, size_t& count);
  /// Where the row in hand begins, from 1.
  uint64_t line() const { return line_; }
  /// The text ended inside quotes.
  bool unfinished() const { return unfinished_; }

 private:
  CsvCell take_cell();
  bool at_line_end() const { return at_ == text_.size() || text_[at_] == '\n' || at_carriage_return(); }
  bool at_carriage_return() const { return text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n'); }
  void skip_line_end();

  std::span<char> text_;
  size_t at_ = 0;
  uint64_t line_ = 0;
  uint64_t next_line_ = 1;
  bool unfinished_ = false;
};

}  // namespace weir
