#include "agent/expression/like.h"

#include <cstddef>

namespace weir {
namespace {

/// The position after the character at `position`; total also for bytes that are not UTF-8.
size_t next_character(std::string_view text, size_t position) {
  do {
    ++position;
  } while (position < text.size() && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80);
  return position;
}

/// Two positions that move together. A mismatch goes back to the newest % and lets it take one character more: an earlier %
/// need not change, because whatever it could take beyond that the newest one can take as well.
class Matcher {
 public:
  Matcher(std::string_view text, std::string_view pattern) : text_(text), pattern_(pattern) {}

  bool run() {
    while (at_text_ < text_.size())
      if (!step() && !retry()) return false;
    while (at_pattern_ < pattern_.size() && pattern_[at_pattern_] == '%') ++at_pattern_;
    return at_pattern_ == pattern_.size();
  }

 private:
  bool step() {
    if (at_pattern_ == pattern_.size()) return false;
    char wanted = pattern_[at_pattern_];
    if (wanted == '%') {
      percent_ = ++at_pattern_;
      percent_end_ = at_text_;
      return true;
    }
    if (wanted == '_') {
      ++at_pattern_;
      at_text_ = next_character(text_, at_text_);
      return true;
    }
    size_t literal = at_pattern_ + (wanted == '\\' && at_pattern_ + 1 < pattern_.size() ? 1 : 0);
    if (pattern_[literal] != text_[at_text_]) return false;
    at_pattern_ = literal + 1;
    ++at_text_;
    return true;
  }

  bool retry() {
    if (percent_ == none) return false;
    percent_end_ = next_character(text_, percent_end_);
    at_text_ = percent_end_;
    at_pattern_ = percent_;
    return true;
  }

  static constexpr size_t none = static_cast<size_t>(-1);

  std::string_view text_;
  std::string_view pattern_;
  size_t at_text_ = 0;
  size_t at_pattern_ = 0;
  size_t percent_ = none;   // the position in the pattern after the newest %
  size_t percent_end_ = 0;  // where in the text its run ends, so far
};

}  // namespace

bool like_matches(std::string_view text, std::string_view pattern) { return Matcher(text, pattern).run(); }

}  // namespace weir
