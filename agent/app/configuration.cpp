#include "agent/app/configuration.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "agent/config/quantity.h"

namespace weir {

void print_diagnostics(const LoadedConfig& config, bool print_notes) {
  std::string text = config.diagnostics.format(config.files, isatty(STDERR_FILENO) == 1, print_notes);
  fputs(text.c_str(), stderr);
  const size_t errors = config.diagnostics.errors();
  if (errors > 0) fprintf(stderr, "%zu error%s\n", errors, errors == 1 ? "" : "s");
}

namespace {

/// Somebody's first start: what to do now. The journal gets one line.
void explain_first_start() {
  fprintf(stderr, "weir: error: there is no configuration: %s does not exist", default_config_path);
  if (getenv("JOURNAL_STREAM") != nullptr) {
    fputs("; `weir run` in a terminal shows a first one\n", stderr);
    return;
  }
  fprintf(stderr,
          "\n\nA first one, to put there or elsewhere:\n\n%s\n"
          "Then, if that is FILE:\n\n"
          "    weir check FILE    says what is wrong with it, if anything\n"
          "    weir run FILE      runs it: {\"value\": 31} on sensors/boiler comes back on hot/boiler\n"
          "    weir doctor FILE   looks at broker, disk, clock and the rest around it\n\n"
          "weir.toml(5), or `weir schema --markdown`, has every key.\n",
          first_configuration);
}

}  // namespace

std::unique_ptr<Built> build_from(const CommandLine& line, bool print_notes) {
  auto built = std::make_unique<Built>();
  if (line.words.empty() && access(default_config_path, F_OK) != 0) {
    explain_first_start();
    built->exit_code = exit_config;
    return built;
  }
  built->config = load_config(config_paths(line), line.overrides);
  built->clock = std::make_unique<SystemClock>();
  // With syntax errors there may be nothing to build; with the others, what can be built still finds more to report.
  if (!built->config.unusable) built->agent = std::make_unique<Agent>(built->config, *built->clock);
  print_diagnostics(built->config, print_notes);
  if (built->config.diagnostics.errors() > 0) built->exit_code = exit_config;
  return built;
}

bool fits_memory_limit(const Built& built) {
  const AgentSpec& agent = built.config.specification.agent;
  size_t used = built.agent->arena().used();
  if (used <= agent.memory_limit) return true;
  const std::string needed =
      "the configuration needs " + std::to_string(used) + " bytes, agent.memory_limit is " + std::to_string(agent.memory_limit);
  const std::string help = "`weir plan` shows where they go";
  if (agent.memory_limit_at.line == 0) {
    fprintf(stderr, "weir: error: %s, the default; %s\n", needed.c_str(), help.c_str());
    return false;
  }
  Diagnostics diagnostics;
  diagnostics.error(agent.memory_limit_at, size_text(static_cast<int64_t>(agent.memory_limit)).size(), needed, help);
  fputs(diagnostics.format(built.config.files, isatty(STDERR_FILENO) == 1).c_str(), stderr);
  return false;
}

std::string find_state_dir(const CommandLine& line) {
  if (!line.state_dir.empty()) return line.state_dir;
  LoadedConfig config = load_config(config_paths(line), line.overrides);
  if (config.diagnostics.errors() == 0) return config.specification.agent.state_dir;
  print_diagnostics(config, false);
  fprintf(stderr, "weir: error: the configuration does not say where the state directory is; name it with --state-dir\n");
  return {};
}

}  // namespace weir
