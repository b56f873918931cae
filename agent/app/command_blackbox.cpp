#include <cstdio>

#include "agent/app/black_box_report.h"
#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "storage/mapped_file.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir blackbox [CONFIG... | --state-dir DIR] [--json]\n\n"
    "Prints the flight recorder: this run of the agent and the one before, how that ended (signal and stack, as addr2line "
    "takes\n"
    "it), the last incident with the parts of its time, what each pipeline has in hand, and the newest events. It only reads;\n"
    "the agent may run or not. Exit codes: 0, 1 if there is none.\n";

int fail(const std::string& state_dir, const char* why) {
  fprintf(stderr, "weir blackbox: error: %s/%s: %s\n", state_dir.c_str(), BlackBox::file_name, why);
  return exit_failure;
}

}  // namespace

int command_blackbox(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"set", "state-dir", "json"});
  if (!line.error.empty()) return usage_error("blackbox", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  const std::string state_dir = find_state_dir(line);
  if (state_dir.empty()) return exit_config;
  MappedFile file;
  if (Status status = file.open(state_dir + "/" + BlackBox::file_name, BlackBox::bytes(), true); !status.ok())
    return fail(state_dir, status.text());
  const BlackBox box(file.memory());
  if (!box.sound()) return fail(state_dir, "it is no flight recorder of this version");
  fputs((line.json ? black_box_json(box) : black_box_text(box)).c_str(), stdout);
  return exit_ok;
}

}  // namespace weir
