// What `run`, `check` and `plan` do first: load the configuration, build everything from it, report what is wrong. Start-up.
#pragma once

#include <memory>

#include "agent/app/agent.h"
#include "agent/app/command_line.h"

namespace weir {

/// A configuration with what was built from it; `exit_code` is not exit_ok when it cannot be run, and why has been printed on
/// standard error already.
struct Built {
  LoadedConfig config;
  std::unique_ptr<Clock> clock;
  std::unique_ptr<Agent> agent;
  int exit_code = 0;
};

/// What somebody without a configuration is shown: short, and it can be run.
inline constexpr const char* first_configuration =
    "    [mqtt.local]\n"
    "    url = \"mqtt://127.0.0.1:1883\"\n"
    "\n"
    "    [[pipeline]]\n"
    "    name = \"hot\"\n"
    "\n"
    "      [pipeline.source]\n"
    "      mqtt = \"local\"\n"
    "      topics = [\"sensors/+\"]\n"
    "      format = \"json\"\n"
    "      fields = { device = \"topic[1]\", value = \"float\" }\n"
    "\n"
    "      [[pipeline.step]]\n"
    "      filter = \"value > 30\"\n"
    "\n"
    "      [pipeline.sink]\n"
    "      mqtt = \"local\"\n"
    "      topic = \"hot/{device}\"\n";

/// On standard error, and how many errors there are.
void print_diagnostics(const LoadedConfig& config, bool print_notes);

/// The result is heap-allocated because the agent refers to the configuration in it.
std::unique_ptr<Built> build_from(const CommandLine& line, bool print_notes);

/// Whether what was built stays within agent.memory_limit; prints the reason if not.
bool fits_memory_limit(const Built& built);

/// The state directory that --state-dir names or the configuration states; empty, with the reason printed, if neither can.
std::string find_state_dir(const CommandLine& line);

}  // namespace weir
