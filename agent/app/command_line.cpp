#include "agent/app/command_line.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "agent/base/nearest_name.h"

namespace weir {
namespace {

/// Takes the option's value into `line`; false if there is something wrong with it.
bool take_value(const std::string& name, const std::string& value, CommandLine& line) {
  if (name == "set") line.overrides.push_back(value);
  if (name == "state-dir") line.state_dir = value;
  if (name == "config") line.words.push_back(value);
  if (name == "input") line.input = value;
  if (name == "pipeline") line.pipeline = value;
  if (name == "topic") line.topic = value;
  if (name == "step") line.step = value;
  if (name == "format") line.format = value;
  if (name == "against") line.against = value;
  if (name == "limit") return parse_number(value, line.limit);
  if (name == "after") return parse_number(value, line.after);
  line.values[name] = value;
  return true;
}

bool is_flag(const std::string& name, CommandLine& line) {
  if (name == "json") return line.json = true;
  if (name == "csv") return line.csv = true;
  if (name == "markdown") return line.markdown = true;
  if (name == "allow-non-restored-state") return line.allow_non_restored_state = true;
  return false;
}

/// The options of a command by their names alone.
std::vector<std::string> names_of(const std::vector<std::string>& allowed) {
  std::vector<std::string> names = allowed;
  for (std::string& name : names)
    if (name.ends_with('!')) name.pop_back();
  return names;
}

}  // namespace

bool parse_number(const std::string& text, int64_t& value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && value >= 0;
}

CommandLine parse_command_line(int count, char** arguments, const std::vector<std::string>& allowed) {
  CommandLine line;
  const std::vector<std::string> names = names_of(allowed);
  std::error_code ignored;
  for (int index = 0; index < count && line.error.empty(); ++index) {
    std::string word = arguments[index];
    if (word == "-h" || word == "--help") {
      line.help = true;
    } else if (!word.starts_with("--") || word == "-") {
      line.words.push_back(word);
    } else {
      std::string name = word.substr(2, word.find('=') == std::string::npos ? std::string::npos : word.find('=') - 2);
      bool has_value = word.find('=') != std::string::npos;
      if (std::ranges::find(names, name) == names.end()) {
        line.error = "unknown option --" + name;
        if (std::string nearest = nearest_name(name, names); !nearest.empty())
          line.error += ", did you mean --" + nearest + "?";
      } else if (!has_value && is_flag(name, line)) {
        continue;
      } else if (!has_value && std::ranges::find(allowed, name + "!") != allowed.end()) {
        line.flags.insert(name);
      } else if (!has_value && name == "journal") {
        // The directory may be left out: then it is the configuration's.
        const bool directory = index + 1 < count && std::filesystem::is_directory(arguments[index + 1], ignored);
        line.values[name] = directory ? arguments[++index] : "";
      } else if (has_value) {
        if (!take_value(name, word.substr(word.find('=') + 1), line)) line.error = "bad value in " + word;
      } else if (index + 1 < count) {
        if (!take_value(name, arguments[++index], line)) line.error = "bad value for --" + name;
      } else {
        line.error = "--" + name + " needs a value";
      }
    }
  }
  return line;
}

std::vector<std::string> config_paths(const CommandLine& line) {
  return line.words.empty() ? std::vector<std::string>{default_config_path} : line.words;
}

}  // namespace weir
