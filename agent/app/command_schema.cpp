#include <cstdio>

#include "agent/app/command_line.h"
#include "agent/app/commands.h"
#include "agent/app/version.h"
#include "agent/config/load.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir schema [--markdown | --man]\n\n"
    "Prints the JSON Schema of the configuration, for completion and checking in editors; with --markdown the reference page,\n"
    "with --man the same for man(1).\n";

}  // namespace

int command_schema(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"markdown", "man!"});
  if (!line.error.empty()) return usage_error("schema", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  if (line.flags.contains("man"))
    fputs(config_manual(weir_version).c_str(), stdout);
  else
    fputs((line.markdown ? config_reference() : config_schema()).c_str(), stdout);
  return exit_ok;
}

}  // namespace weir
