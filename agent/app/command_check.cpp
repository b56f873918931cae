#include <algorithm>
#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/fit_report.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir check [CONFIG...] [--set KEY=VALUE]... [--against STATE_DIR [--json]]\n\n"
    "Reads the configuration, compiles every expression, adds up the memory, and reports all that is wrong with it, each\n"
    "with file, line and column. Touches nothing. Exit codes: 0 it can be run, 78 it cannot.\n"
    "  --against STATE_DIR   also what becomes of the state that is stored there, or in a savepoint, part by part; 78 if a\n"
    "                        start would be refused.\n"
    "                        No agent may be using it.\n";

/// A watchdog that is shorter than what the disk has taken already would be a danger if commits counted like the rest.
void warn_of_slow_commits(const Built& built) {
  const int64_t watchdog_ms = built.config.specification.agent.watchdog;
  if (watchdog_ms == 0) return;
  for (const auto& host : built.agent->hosts()) {
    const Pipeline* pipeline = host->pipeline();
    const CheckpointHistory& history = pipeline->checkpoint_history();
    int64_t slowest_us = 0;
    for (size_t age = 0; age < history.size(); ++age) slowest_us = std::max(slowest_us, history[age].async_us);
    if (slowest_us < watchdog_ms * 1000) continue;
    fprintf(stderr,
            "weir check: warning: a commit of the pipeline \"%s\" took %lld ms, agent.watchdog is %lld ms: have a look at the "
            "disk, or raise it and checkpoint.timeout\n",
            pipeline->name().c_str(), static_cast<long long>(slowest_us / 1000), static_cast<long long>(watchdog_ms));
  }
}

int check_against(Built& built, const CommandLine& line) {
  bool refused = false;
  const Status opened = built.agent->try_restore(line.against, false,
                                                 [&](const std::string& pipeline, Status status, const RestoreReport& report) {
                                                   refused |= !status.ok() && status.code() != Code::NotFound;
                                                   print_fit(pipeline, status, report, line.json);
                                                 });
  if (opened.ok()) warn_of_slow_commits(built);
  if (opened.ok()) return refused ? exit_config : exit_ok;
  if (opened.code() == Code::Busy && opened.detail() > 0)
    fprintf(stderr, "weir check: error: an agent (pid %d) is using %s; stop it first\n", opened.detail(), line.against.c_str());
  else
    fprintf(stderr, "weir check: error: %s: %s\n", line.against.c_str(), opened.text());
  return opened.code() == Code::Busy ? exit_busy : exit_failure;
}

}  // namespace

int command_failed(const char* command, const std::string& text) {
  fprintf(stderr, "weir %s: error: %s\n", command, text.c_str());
  return exit_failure;
}

int usage_error(const char* command, const char* error) {
  fprintf(stderr, "weir %s: error: %s; see weir %s --help\n", command, error, command);
  return exit_usage;
}

int command_check(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"set", "against", "json"});
  if (!line.error.empty()) return usage_error("check", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  std::unique_ptr<Built> built = build_from(line, true);
  if (built->exit_code != exit_ok) return built->exit_code;
  if (!fits_memory_limit(*built)) return exit_config;
  if (!line.against.empty()) return check_against(*built, line);
  size_t pipelines = built->config.specification.pipeline.size();
  printf("ok: %zu pipeline%s, %zu bytes of memory\n", pipelines, pipelines == 1 ? "" : "s", built->agent->arena().used());
  return exit_ok;
}

}  // namespace weir
