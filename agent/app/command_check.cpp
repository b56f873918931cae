#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir check [CONFIG...] [--set KEY=VALUE]...\n\n"
    "Reads the configuration, compiles every expression, adds up the memory, and reports all that is wrong with it, each\n"
    "with file, line and column. Touches nothing. Exit codes: 0 it can be run, 78 it cannot.\n";

}  // namespace

int usage_error(const char* command, const char* error) {
  fprintf(stderr, "weir %s: error: %s; see weir %s --help\n", command, error, command);
  return exit_usage;
}

int command_check(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"set"});
  if (!line.error.empty()) return usage_error("check", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  std::unique_ptr<Built> built = build_from(line, true);
  if (built->exit_code != exit_ok) return built->exit_code;
  if (!fits_memory_limit(*built)) return exit_config;
  size_t pipelines = built->config.specification.pipeline.size();
  printf("ok: %zu pipeline%s, %zu bytes of memory\n", pipelines, pipelines == 1 ? "" : "s", built->agent->arena().used());
  return exit_ok;
}

}  // namespace weir
