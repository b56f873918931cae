#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/control_client.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir status [CONFIG... | --state-dir DIR] [--json]\n\n"
    "Asks the agent that runs on this machine how it is: connections, the account of every message, checkpoints, recovery,\n"
    "memory. Exit codes: 0, 1 if no agent is running there.\n";

}  // namespace

int command_status(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"set", "state-dir", "json"});
  if (!line.error.empty()) return usage_error("status", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  std::string state_dir = find_state_dir(line);
  if (state_dir.empty()) return exit_config;
  Result<std::string> answer = ask_agent(state_dir, line.json ? "status json" : "status");
  if (!answer.ok()) {
    fprintf(stderr, "weir status: error: %s: %s\n", state_dir.c_str(), answer.status().text());
    return exit_failure;
  }
  fputs(answer.value().c_str(), stdout);
  return exit_ok;
}

}  // namespace weir
