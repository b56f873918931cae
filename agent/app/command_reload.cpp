#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/control_client.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir reload [CONFIG... | --state-dir DIR] [--dry-run] [--allow-non-restored-state] [--json]\n\n"
    "A running agent reads its configuration again and takes over what has changed: pipelines that were added, removed or\n"
    "changed are stopped, restored from their last checkpoint and started; the others run on. If anything is wrong with the\n"
    "new configuration, or with what is stored under it, nothing is changed. CONFIG only says where the agent is.\n"
    "  --dry-run                    say what would change, and change nothing\n"
    "  --allow-non-restored-state   also if a step whose state is stored is no longer configured; the state is kept\n"
    "SIGHUP does the same, and what came of it is in the log.\n"
    "Exit codes: 0, 1 if no agent is running there, 78 if it was refused.\n";

/// A last checkpoint on a slow card takes its time.
constexpr int patience_seconds = 120;

/// What is wrong with the file is the answer already; the agent need not be found.
std::string state_dir_of(const CommandLine& line) {
  if (!line.state_dir.empty()) return line.state_dir;
  const LoadedConfig config = load_config(config_paths(line), line.overrides);
  if (config.diagnostics.errors() == 0) return config.specification.agent.state_dir;
  print_diagnostics(config, false);
  fprintf(stderr, "refused: nothing was changed, the agent runs on as it did\n");
  return {};
}

}  // namespace

int command_reload(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"set", "state-dir", "json", "dry-run!", "allow-non-restored-state"});
  if (!line.error.empty()) return usage_error("reload", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  const std::string state_dir = state_dir_of(line);
  if (state_dir.empty()) return exit_config;
  std::string request = "reload";
  if (line.flags.contains("dry-run")) request += " dry-run";
  if (line.allow_non_restored_state) request += " allow-non-restored-state";
  if (line.json) request += " json";
  const Result<std::string> answer = ask_agent(state_dir, request, patience_seconds);
  if (!answer.ok()) return command_failed("reload", state_dir + ": " + answer.status().text());
  const bool failed = answer.value().starts_with("error: ");
  const bool refused = answer.value().starts_with("refused: ") || answer.value().find("\"error\":\"") != std::string::npos;
  fputs(answer.value().c_str(), (failed || refused) && !line.json ? stderr : stdout);
  return failed ? exit_failure : refused ? exit_config : exit_ok;
}

}  // namespace weir
