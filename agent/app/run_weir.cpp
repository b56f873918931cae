// One process, many commands: this file finds the command.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "agent/app/command_line.h"
#include "agent/app/commands.h"
#include "agent/app/run_weir.h"
#include "agent/app/version.h"
#include "agent/base/name_list.h"
#include "agent/base/nearest_name.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

constexpr NameList left_out(WEIR_WITHOUT_COMMANDS);

using Run = int(int count, char** arguments);

struct Command {
  constexpr Command(const char* its_name, Run& its_run, const char* its_summary)
      : name(its_name), run(left_out.has(its_name) ? nullptr : &its_run), summary(its_summary) {}

  const char* name;
  Run* run;  // nullptr: left out, and with it all its code
  const char* summary;
};

constexpr Command commands[] = {
    {"run", command_run, "run the pipelines of a configuration"},
    {"supervise", command_supervise, "start an agent, watch it and start it again, where there is no systemd"},
    {"check", command_check, "check a configuration and say all that is wrong with it"},
    {"plan", command_plan, "print the memory that a configuration needs, before anything runs"},
    {"replay", command_replay, "run a recording through a pipeline, to standard output"},
    {"checkpoint", command_checkpoint, "ask a running agent for a checkpoint, and wait for it"},
    {"savepoint", command_savepoint, "put state into a file, look at it, and bring it back, here or elsewhere"},
    {"resume", command_resume, "start pipelines again that have failed"},
    {"reload", command_reload, "let a running agent take over a changed configuration"},
    {"stop", command_stop, "stop a running agent, and wait until it has ended"},
    {"status", command_status, "ask a running agent how it is"},
    {"ledger", command_ledger, "print the account of every message"},
    {"doctor", command_doctor, "look at what an agent needs around it, and say what is wrong"},
    {"blackbox", command_blackbox, "print the flight recorder: what the agent does, and how it ended"},
    {"dead-letters", command_dead_letters, "list and show the messages that were set aside"},
    {"state", command_state, "list, show, export or drop stored state, without an agent"},
    {"schema", command_schema, "print the JSON Schema of the configuration, for editors"},
    {"functions", command_functions, "list the functions of expressions, each with an example"},
};

constexpr bool is_command(std::string_view name) {
  return std::ranges::find(commands, name, &Command::name) != std::end(commands);
}

static_assert(left_out.all(is_command), "WEIR_WITHOUT_COMMANDS names a command that there is not; weir --help lists them");
static_assert(!left_out.has("run") && !left_out.has("check"), "WEIR_WITHOUT_COMMANDS: weir is nothing without run and check");

void print_help() {
  printf(
      "weir %s: stream processing for gateways that does not lose data\n\n"
      "usage: weir COMMAND [CONFIG...] [options]\n\n",
      weir_version);
  for (const Command& command : commands)
    if (command.run != nullptr) printf("  %-14s%s\n", command.name, command.summary);
  printf(
      "\nCONFIG is a TOML file or a directory of them; without one it is %s.\n"
      "`weir COMMAND --help` tells more.\n",
      default_config_path);
}

int refuse_left_out(const Command& command) {
  fprintf(stderr, "weir: error: this build has no command \"%s\": it was built with WEIR_WITHOUT_COMMANDS=\"%s\"\n",
          command.name, WEIR_WITHOUT_COMMANDS);
  return exit_usage;
}

int find_and_run(int count, char** arguments) {
  if (count < 2) {
    print_help();
    return exit_usage;
  }
  std::string name = arguments[1];
  if (name == "--help" || name == "-h" || name == "help") {
    print_help();
    return exit_ok;
  }
  if (name == "--version") {
    printf("weir %s\n", weir_version);
    return exit_ok;
  }
  std::vector<std::string> names;
  for (const Command& command : commands) {
    if (name == command.name) return command.run != nullptr ? command.run(count - 2, arguments + 2) : refuse_left_out(command);
    if (command.run != nullptr) names.emplace_back(command.name);
  }
  std::string nearest = nearest_name(name, names);
  fprintf(stderr, "weir: error: there is no command \"%s\"%s%s%s\n", name.c_str(),
          nearest.empty() ? "; see weir --help" : "; did you mean \"", nearest.c_str(), nearest.empty() ? "" : "\"?");
  return exit_usage;
}

}  // namespace

int run_weir(int count, char** arguments) {
  register_built_in_steps();
  return find_and_run(count, arguments);
}

}  // namespace weir
