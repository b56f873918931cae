#include "agent/operators/pattern_parse.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace weir {
namespace {

bool is_word(char character) { return isalnum(static_cast<unsigned char>(character)) != 0 || character == '_'; }

/// `text` from `at` on, as far as it is digits; `value` stays if there are none.
bool read_count(std::string_view text, size_t& at, uint32_t& value) {
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return false;
  at += static_cast<size_t>(end - begin);
  return true;
}

/// `{n}`, `{n,}`, `{,m}`, `{n,m}`.
bool parse_counts(std::string_view text, PatternVariable& variable) {
  if (text.size() < 3 || text.front() != '{' || text.back() != '}') return false;
  text = text.substr(1, text.size() - 2);
  variable.least = 0;
  size_t at = 0;
  if (!read_count(text, at, variable.least)) return false;
  variable.most = variable.least;
  if (at == text.size()) return true;
  if (text[at++] != ',' || text == ",") return false;
  variable.most = PatternVariable::no_limit;
  return read_count(text, at, variable.most) && at == text.size();
}

/// The end of a quoted part that begins at `at`.
size_t skip_quoted(const std::string& text, size_t at) {
  const size_t end = text.find(text[at], at + 1);
  return end == std::string::npos ? text.size() : end + 1;
}

/// Whether the word from `begin` to `end` is all that stands between parentheses.
bool stands_alone(const std::string& text, size_t begin, size_t end) {
  const size_t before = text.find_last_not_of(" \t", begin == 0 ? std::string::npos : begin - 1);
  const size_t after = text.find_first_not_of(" \t", end);
  return begin > 0 && before != std::string::npos && text[before] == '(' && after != std::string::npos && text[after] == ')';
}

}  // namespace

bool parse_quantifier(std::string_view text, PatternVariable& variable) {
  variable.greedy = text.size() < 2 || text.back() != '?';
  if (!variable.greedy) text.remove_suffix(1);
  variable.least = text == "+" ? 1 : 0;
  variable.most = text == "?" ? 1 : PatternVariable::no_limit;
  if (text != "?" && text != "*" && text != "+" && !parse_counts(text, variable)) return false;
  return variable.most >= 1 && variable.least <= variable.most;
}

int take_variable(std::string& call, const std::vector<std::string>& names) {
  const std::string original = call;
  int found = -1;
  for (size_t at = 0; at < call.size();) {
    if (call[at] == '\'' || call[at] == '"' || call[at] == '`') {
      at = skip_quoted(call, at);
      continue;
    }
    size_t end = at;
    while (end < call.size() && is_word(call[end])) ++end;
    if (end == at) {
      ++at;
      continue;
    }
    const auto name = std::ranges::find(names, std::string_view(call).substr(at, end - at));
    const bool dotted = end < call.size() && call[end] == '.';
    if (name != names.end() && (dotted || stands_alone(original, at, end))) {
      const auto position = static_cast<int>(name - names.begin());
      if (found >= 0 && found != position) return -1;
      found = position;
      if (dotted) ++end;
      std::fill(call.begin() + static_cast<ptrdiff_t>(at), call.begin() + static_cast<ptrdiff_t>(end), ' ');
    }
    at = end;
  }
  return found;
}

}  // namespace weir
