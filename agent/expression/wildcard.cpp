#include "agent/expression/wildcard.h"

#include <cstdint>

namespace weir {
namespace {

struct Dialect {
  char run;
  char one;
  bool has_sets;
};

/// Two positions that move together. A mismatch goes back to the newest run and lets it take one character more: an earlier
/// run need not change, because whatever it could take beyond that the newest one can take as well.
class Matcher {
 public:
  Matcher(std::string_view text, std::string_view pattern, Dialect dialect)
      : text_(text), pattern_(pattern), dialect_(dialect) {}

  bool run() {
    while (at_text_ < text_.size())
      if (!step() && !retry()) return false;
    while (at_pattern_ < pattern_.size() && pattern_[at_pattern_] == dialect_.run) ++at_pattern_;
    return at_pattern_ == pattern_.size();
  }

 private:
  bool step() {
    if (at_pattern_ == pattern_.size()) return false;
    const char wanted = pattern_[at_pattern_];
    if (wanted == dialect_.run) {
      run_ = ++at_pattern_;
      run_end_ = at_text_;
      return true;
    }
    if (wanted == dialect_.one) {
      ++at_pattern_;
      at_text_ = next_character(text_, at_text_);
      return true;
    }
    if (wanted == '[' && dialect_.has_sets && !sets_are_over_) {
      bool found = false;
      if (const size_t end = read_set(found); end != none) return take_set(end, found);
      sets_are_over_ = true;
    }
    const size_t literal = at_pattern_ + escape_at(at_pattern_);
    if (pattern_[literal] != text_[at_text_]) return false;
    at_pattern_ = literal + 1;
    ++at_text_;
    return true;
  }

  bool retry() {
    if (run_ == none) return false;
    run_end_ = next_character(text_, run_end_);
    at_text_ = run_end_;
    at_pattern_ = run_;
    return true;
  }

  bool take_set(size_t end, bool found) {
    if (!found) return false;
    at_pattern_ = end;
    at_text_ = next_character(text_, at_text_);
    return true;
  }

  size_t escape_at(size_t at) const { return pattern_[at] == '\\' && at + 1 < pattern_.size() ? 1 : 0; }

  /// A character as a number: its bytes, the first one highest, so that they stand in the order of code points.
  static uint32_t character_at(std::string_view text, size_t at) {
    uint32_t character = 0;
    for (const size_t end = next_character(text, at); at < end; ++at)
      character = character << 8 | static_cast<unsigned char>(text[at]);
    return character;
  }

  /// Reads one member of a set and goes past it.
  uint32_t member(size_t& at) const {
    at += escape_at(at);
    const uint32_t character = character_at(pattern_, at);
    at = next_character(pattern_, at);
    return character;
  }

  /// Whether the set that begins here has the text's next character; returns where the pattern goes on, or none if the set is
  /// not closed.
  size_t read_set(bool& found) const {
    const uint32_t wanted = character_at(text_, at_text_);
    size_t at = at_pattern_ + 1;
    const bool inverted = at < pattern_.size() && (pattern_[at] == '!' || pattern_[at] == '^');
    if (inverted) ++at;
    bool in_set = false;
    for (bool first = true; at < pattern_.size(); first = false) {
      if (pattern_[at] == ']' && !first) {
        found = in_set != inverted;
        return at + 1;
      }
      const uint32_t low = member(at);
      uint32_t high = low;
      if (at + 1 < pattern_.size() && pattern_[at] == '-' && pattern_[at + 1] != ']') high = member(++at);
      in_set = in_set || (low <= wanted && wanted <= high);
    }
    return none;
  }

  static constexpr size_t none = static_cast<size_t>(-1);

  std::string_view text_;
  std::string_view pattern_;
  Dialect dialect_;
  size_t at_text_ = 0;
  size_t at_pattern_ = 0;
  size_t run_ = none;           // the position in the pattern after the newest run
  size_t run_end_ = 0;          // where in the text it ends, so far
  bool sets_are_over_ = false;  // a [ was not closed, so none after it is
};

}  // namespace

size_t next_character(std::string_view text, size_t position) {
  do {
    ++position;
  } while (position < text.size() && (static_cast<unsigned char>(text[position]) & 0xC0) == 0x80);
  return position;
}

bool like_matches(std::string_view text, std::string_view pattern) { return Matcher(text, pattern, {'%', '_', false}).run(); }

bool glob_matches(std::string_view text, std::string_view pattern) { return Matcher(text, pattern, {'*', '?', true}).run(); }

}  // namespace weir
