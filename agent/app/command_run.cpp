#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/base/log.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir run [CONFIG...] [--set KEY=VALUE]... [--allow-non-restored-state]\n\n"
    "Runs the pipelines until SIGTERM or SIGINT, then takes a last checkpoint and says goodbye.\n"
    "  --set KEY=VALUE              replaces one value of the configuration (agent.state_dir=/tmp/x)\n"
    "  --allow-non-restored-state   starts although a step whose state is stored is no longer configured;\n"
    "                               the state is kept for its return, see weir state list\n\n"
    "SIGHUP reloads the configuration, SIGUSR1 takes a checkpoint now. Exit codes: 0 stopped, 1 failed, 65 the stored state is "
    "damaged,\n"
    "75 another agent uses the state directory, 78 the configuration is wrong.\n";

/// Blocked before any thread exists, so that all of them inherit it and only the signal descriptor sees them.
void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int command_run(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"set", "allow-non-restored-state"});
  if (!line.error.empty()) return usage_error("run", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  block_signals();
  // The journal reads the levels from prefixes; people and files get words.
  set_log_for_terminal(getenv("JOURNAL_STREAM") == nullptr);
  std::unique_ptr<Built> built = build_from(line, false);
  if (built->exit_code != exit_ok) return built->exit_code;
  if (!fits_memory_limit(*built)) return exit_config;
  set_log_level(log_level_named(built->config.specification.agent.log_level));
  return built->agent->run(
      {.allow_non_restored_state = line.allow_non_restored_state, .paths = config_paths(line), .overrides = line.overrides});
}

}  // namespace weir
