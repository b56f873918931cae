#include <algorithm>
#include <cstdio>

#include "agent/app/command_line.h"
#include "agent/app/commands.h"
#include "agent/app/function_pages.h"
#include "agent/base/nearest_name.h"
#include "agent/expression/functions.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir functions [NAME...] [--json | --markdown]\n\n"
    "Lists the functions of expressions: what each takes, what it gives, and an example with its result; with names only\n"
    "those. --json prints the same for programs, --markdown as the page of the documentation has it. Exit codes: 0, or 1 if\n"
    "there is no function of a name.\n";

/// The rows with these names, or all; false if a name is none.
bool choose(const std::vector<std::string>& names, std::vector<const Function*>& chosen) {
  if (names.empty())
    for (const Function& function : functions()) chosen.push_back(&function);
  bool found = true;
  for (const std::string& name : names) {
    if (const int index = find_function(name); index >= 0) {
      chosen.push_back(&functions()[static_cast<size_t>(index)]);
      continue;
    }
    std::vector<std::string> known;
    for (const Function& function : functions()) known.emplace_back(function.name);
    const std::string nearest = nearest_name(name, known);
    fprintf(stderr, "weir functions: error: there is no function \"%s\"%s%s%s\n", name.c_str(),
            nearest.empty() ? "" : "; did you mean \"", nearest.c_str(), nearest.empty() ? "" : "\"?");
    found = false;
  }
  return found;
}

}  // namespace

int command_functions(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"json", "markdown"});
  if (!line.error.empty()) return usage_error("functions", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  std::vector<const Function*> chosen;
  const bool found = choose(line.words, chosen);
  std::string page;
  if (line.markdown)
    page = functions_markdown(chosen);
  else
    page = line.json ? functions_json(chosen) : functions_text(chosen);
  fputs(page.c_str(), stdout);
  return found ? exit_ok : exit_failure;
}

}  // namespace weir
