#include <cstdio>
#include <cstring>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/control_client.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir checkpoint [list] [CONFIG... | --state-dir DIR] [--pipeline NAME] [--json]\n\n"
    "Asks the agent that runs on this machine for a checkpoint of every pipeline, or of one, and waits until it is durable: "
    "all\n"
    "that had been taken in by then is part of it. SIGUSR1 asks for the same without an answer.\n"
    "`list` shows the newest checkpoints instead, with the parts of their time: T_timeout and T_data, which make "
    "T_checkpoint,\n"
    "the time from the one before; T_sync, while the pipeline stood still; T_async, until it was durable.\n"
    "Exit codes: 0, 1 if no agent is running there or a checkpoint failed.\n";

}  // namespace

int command_checkpoint(int count, char** arguments) {
  const bool list = count > 0 && strcmp(arguments[0], "list") == 0;
  if (list) --count, ++arguments;
  CommandLine line = parse_command_line(count, arguments, {"set", "state-dir", "pipeline", "json"});
  if (!line.error.empty()) return usage_error("checkpoint", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  std::string state_dir = find_state_dir(line);
  if (state_dir.empty()) return exit_config;
  const std::string question = std::string(list ? "checkpoints " : "checkpoint ") + (line.json ? "json" : "text");
  Result<std::string> answer = ask_agent(state_dir, line.pipeline.empty() ? question : question + " " + line.pipeline);
  if (!answer.ok()) {
    fprintf(stderr, "weir checkpoint: error: %s: %s\n", state_dir.c_str(), answer.status().text());
    return exit_failure;
  }
  const std::string& text = answer.value();
  const bool failed = text.find(line.json ? "\"error\":" : "error: ") != std::string::npos || text.starts_with("error: ");
  fputs(text.c_str(), text.starts_with("error: there") ? stderr : stdout);
  return failed ? exit_failure : exit_ok;
}

}  // namespace weir
