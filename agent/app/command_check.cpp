#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/base/text_writer.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir check [CONFIG...] [--set KEY=VALUE]... [--against STATE_DIR [--json]]\n\n"
    "Reads the configuration, compiles every expression, adds up the memory, and reports all that is wrong with it, each\n"
    "with file, line and column. Touches nothing. Exit codes: 0 it can be run, 78 it cannot.\n"
    "  --against STATE_DIR   also what becomes of the state that is stored there, part by part; 78 if a start would be "
    "refused.\n"
    "                        No agent may be using it.\n";

void print_pipeline(const std::string& name, Status status, const RestoreReport& report, bool json) {
  const bool refused = !status.ok() && status.code() != Code::NotFound;
  // What refuses it beside the list of parts.
  const std::string error = !refused || any_refused(report.parts) ? "" : report.error.empty() ? status.text() : report.error;
  if (json) {
    std::string room(6 * (name.size() + error.size()) + 64, '\0');
    TextWriter out(room);
    out.append("{\"pipeline\":").append_json_string(name).append(",\"error\":").append_json_string(error);
    printf("%s,\"refused\":%s,\"parts\":%s}\n", std::string(out.text()).c_str(), refused ? "true" : "false",
           decisions_json(report.parts).c_str());
    return;
  }
  if (report.parts.empty() && !refused) {
    printf("pipeline %s: no checkpoint, starts fresh\n", name.c_str());
    return;
  }
  printf("pipeline %s: %s\n%s", name.c_str(), refused ? "a start would be refused" : "its state goes back",
         report.parts.empty() ? "" : decisions_table(report.parts).c_str());
  if (!error.empty()) printf("  %s\n", error.c_str());
  fputs(refusal_text(report.parts).c_str(), stdout);
}

int check_against(Built& built, const CommandLine& line) {
  bool refused = false;
  const Status opened =
      built.agent->try_restore(line.against, [&](const std::string& pipeline, Status status, const RestoreReport& report) {
        refused |= !status.ok() && status.code() != Code::NotFound;
        print_pipeline(pipeline, status, report, line.json);
      });
  if (opened.ok()) return refused ? exit_config : exit_ok;
  if (opened.code() == Code::Busy && opened.detail() > 0)
    fprintf(stderr, "weir check: error: an agent (pid %d) is using %s; stop it first\n", opened.detail(), line.against.c_str());
  else
    fprintf(stderr, "weir check: error: %s: %s\n", line.against.c_str(), opened.text());
  return opened.code() == Code::Busy ? exit_busy : exit_failure;
}

}  // namespace

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
