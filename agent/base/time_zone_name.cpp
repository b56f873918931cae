#include "agent/base/time_zone_name.h"

#include <string>

namespace weir {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Reads a text from the left. Each step says whether what it reads was there.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool at(char c) const { return text_.starts_with(c); }

  bool accept(char c) {
    if (!at(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  /// `digits_max` digits at most, one at least, with a value in the range.
  bool number(size_t digits_max, int low, int high, int& value) {
    size_t digits = 0;
    value = 0;
    for (; digits < digits_max && digits < text_.size() && is_digit(text_[digits]); ++digits)
      value = value * 10 + (text_[digits] - '0');
    text_.remove_prefix(digits);
    return digits > 0 && value >= low && value <= high;
  }

  bool number(size_t digits_max, int low, int high) {
    int value = 0;
    return number(digits_max, low, high, value);
  }

  /// CEST or <+0530>.
  bool name() {
    const bool quoted = accept('<');
    size_t length = 0;
    while (length < text_.size() && belongs_to_name(text_[length], quoted)) ++length;
    text_.remove_prefix(length);
    return length >= 3 && (!quoted || accept('>'));
  }

  /// [+-]hh[:mm[:ss]]
  bool time(int hours_max) {
    if (!accept('+')) accept('-');
    if (!number(3, 0, hours_max)) return false;
    return !accept(':') || (number(2, 0, 59) && (!accept(':') || number(2, 0, 59)));
  }

  /// M3.5.0, J60 or 59, with /time or without.
  bool rule() {
    bool good = false;
    if (accept('M'))
      good = number(2, 1, 12) && accept('.') && number(1, 1, 5) && accept('.') && number(1, 0, 6);
    else if (accept('J'))
      good = number(3, 1, 365);
    else
      good = number(3, 0, 365);
    return good && (!accept('/') || time(167));
  }

 private:
  static bool belongs_to_name(char c, bool quoted) { return is_letter(c) || (quoted && (is_digit(c) || c == '+' || c == '-')); }

  std::string_view text_;
};

}  // namespace

std::optional<int64_t> fixed_offset_ms(std::string_view text) {
  Reader reader(text);
  const bool west = reader.accept('-');
  if (!west && !reader.accept('+')) return std::nullopt;
  int hours = 0;
  int minutes = 0;
  if (!reader.number(2, 0, 18, hours) || (reader.accept(':') && !reader.number(2, 0, 59, minutes))) return std::nullopt;
  const int64_t offset_ms = (hours * int64_t{60} + minutes) * 60'000;
  if (!reader.at_end() || offset_ms > int64_t{18} * 3'600'000) return std::nullopt;
  return west ? -offset_ms : offset_ms;
}

bool is_posix_zone(std::string_view text) {
  Reader reader(text);
  if (!reader.name() || !reader.time(24)) return false;
  if (reader.at_end()) return true;
  if (!reader.name() || (!reader.at(',') && !reader.time(24))) return false;
  return reader.accept(',') && reader.rule() && reader.accept(',') && reader.rule() && reader.at_end();
}

}  // namespace weir
