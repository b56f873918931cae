// The command line: what every command shares: configuration paths, --set, --state-dir, --json, --help.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace weir {

// sysexits(3), which systemd prints by name.
constexpr int exit_ok = 0;
constexpr int exit_failure = 1;
constexpr int exit_usage = 64;
constexpr int exit_corrupt = 65;   // EX_DATAERR: the stored state is damaged; trying again will not help
constexpr int exit_no_input = 66;  // EX_NOINPUT
constexpr int exit_busy = 75;      // EX_TEMPFAIL: another agent holds the state directory
constexpr int exit_config = 78;    // EX_CONFIG: trying again will not help

constexpr const char* default_config_path = "/etc/weir/weir.toml";

struct CommandLine {
  std::vector<std::string> words;      // what is no option: configuration paths, sub-commands
  std::vector<std::string> overrides;  // --set KEY=VALUE
  std::string input;                   // --input FILE
  std::string pipeline;                // --pipeline NAME
  std::string topic;                   // --topic TOPIC
  std::string step;                    // --step ID
  std::string format;                  // --format NAME
  std::string against;                 // --against STATE_DIR
  bool csv = false;
  std::string state_dir;  // --state-dir DIR
  bool json = false;
  bool markdown = false;
  bool allow_non_restored_state = false;
  int64_t limit = 100;
  int64_t after = 0;
  std::set<std::string> flags;                // options without a value of one command alone
  std::map<std::string, std::string> values;  // options of one command alone, by name
  bool help = false;
  std::string error;  // not empty: usage error
};

/// Options may stand anywhere; `allowed` names the ones that the command knows ("set", "json", ...), with a "!" behind those
/// that have no value and are its own.
CommandLine parse_command_line(int count, char** arguments, const std::vector<std::string>& allowed);

/// A whole number that is not negative, and nothing else.
bool parse_number(const std::string& text, int64_t& value);

/// The configuration paths, or the default one.
std::vector<std::string> config_paths(const CommandLine& line);

}  // namespace weir
