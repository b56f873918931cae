#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/control_client.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir resume [CONFIG... | --state-dir DIR] [--pipeline NAME]\n\n"
    "Starts the pipelines of a running agent again that have FAILED, or wait for their next start, or only the one that is\n"
    "named. Their restart strategy begins as new.\n"
    "Exit codes: 0, 1 if no agent is running there or there is no such pipeline.\n";

}  // namespace

int command_resume(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"set", "state-dir", "pipeline"});
  if (!line.error.empty()) return usage_error("resume", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  const std::string state_dir = find_state_dir(line);
  if (state_dir.empty()) return exit_config;
  const Result<std::string> answer = ask_agent(state_dir, line.pipeline.empty() ? "resume" : "resume " + line.pipeline);
  if (!answer.ok()) return command_failed("resume", state_dir + ": " + answer.status().text());
  const bool failed = answer.value().starts_with("error: ");
  fputs(answer.value().c_str(), failed ? stderr : stdout);
  return failed ? exit_failure : exit_ok;
}

}  // namespace weir
