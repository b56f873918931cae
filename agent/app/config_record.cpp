#include "agent/app/config_record.h"

#include <algorithm>
#include <cctype>

namespace weir {
namespace {

constexpr std::string_view password_key = "password";

bool is_key_character(char character) {
  return isalnum(static_cast<unsigned char>(character)) != 0 || character == '_' || character == '-';
}

size_t skip_blanks(std::string_view text, size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}

/// Where the value that begins at `at` ends: behind the closing quotes of a string, or, of an override, at the end of the word.
size_t end_of_value(std::string_view text, size_t at) {
  if (at >= text.size() || (text[at] != '"' && text[at] != '\''))
    return std::min(text.find_first_of(" \t\r\n,}", at), text.size());
  const bool basic = text[at] == '"';
  const std::string three(3, text[at]);
  const bool long_form = text.substr(at).starts_with(three);
  size_t end = at + (long_form ? 3 : 1);
  while (end < text.size()) {
    if (basic && text[end] == '\\') {
      end += 2;
    } else if (long_form ? text.substr(end).starts_with(three) : text[end] == text[at]) {
      return end + (long_form ? 3 : 1);
    } else if (!long_form && text[end] == '\n') {
      return end;
    } else {
      ++end;
    }
  }
  return text.size();
}

/// Where the value of a key "password" that stands at `at` begins; 0 if what stands there is something else.
size_t password_value(std::string_view text, size_t at) {
  if (!text.substr(at).starts_with(password_key)) return 0;
  if (at > 0 && is_key_character(text[at - 1])) return 0;
  size_t end = at + password_key.size();
  if (end < text.size() && (text[end] == '"' || text[end] == '\'')) ++end;
  end = skip_blanks(text, end);
  if (end >= text.size() || text[end] != '=') return 0;
  return skip_blanks(text, end + 1);
}

}  // namespace

std::string without_passwords(std::string_view toml) {
  std::string out;
  size_t at = 0;
  while (at < toml.size()) {
    const size_t value = password_value(toml, at);
    if (value == 0) {
      out += toml[at++];
      continue;
    }
    out += toml.substr(at, value - at);
    at = end_of_value(toml, value);
    out += "\"(left out)\"";
  }
  return out;
}

std::string config_record(const LoadedConfig& config) {
  std::string record;
  for (const ConfigFile& file : config.files) {
    if (file.is_override) {
      record += "# " + without_passwords(file.name) + "\n";
      continue;
    }
    record += "# ---- " + file.name + "\n" + without_passwords(file.text);
    if (!record.ends_with('\n')) record += '\n';
  }
  return record;
}

}  // namespace weir
