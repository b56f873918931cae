#include <algorithm>
#include <cstdio>
#include <string>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/control_client.h"
#include "agent/status/dead_letter_report.h"
#include "storage/checkpoint_store.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir dead-letters list [CONFIG... | --state-dir DIR] [--json] [--limit N] [--after ID]\n\n"
    "Lists the messages that were set aside, oldest first: when, which step, why, topic and payload. Asks the running agent, "
    "or\n"
    "reads the state directory when none runs. --json prints one object per line.\n";

int print(const std::string& answer) {
  if (answer.starts_with("error: ")) {
    fprintf(stderr, "weir dead-letters: %s", answer.c_str());
    return exit_failure;
  }
  fputs(answer.c_str(), stdout);
  return exit_ok;
}

/// No agent runs: the store is opened for reading, under the lock that would keep an agent from starting meanwhile.
int list_offline(const std::string& state_dir, const CommandLine& line) {
  SqliteCheckpointStore store;
  Status status = store.open(reading_options(state_dir));
  std::string buffer(std::max<size_t>(64 * 1024, static_cast<size_t>(line.limit) * 8192), '\0');
  TextWriter out(buffer);
  if (status.ok()) status = list_dead_letters(store, line.after, static_cast<size_t>(line.limit), line.json, out);
  if (!status.ok()) {
    fprintf(stderr, "weir dead-letters: error: %s: %s\n", state_dir.c_str(), status.text());
    return exit_failure;
  }
  return print(std::string(out.text()));
}

}  // namespace

int command_dead_letters(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"set", "state-dir", "json", "limit", "after"});
  if (!line.error.empty()) return usage_error("dead-letters", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  if (line.words.empty() || line.words.front() != "list") return usage_error("dead-letters", "say what to do: list");
  if (line.limit < 1 || line.limit > 10000) return usage_error("dead-letters", "--limit takes 1 to 10000");
  line.words.erase(line.words.begin());
  std::string state_dir = find_state_dir(line);
  if (state_dir.empty()) return exit_config;
  std::string request = std::string("dead-letters ") + (line.json ? "json " : "text ") + std::to_string(line.after) + " " +
                        std::to_string(line.limit);
  Result<std::string> answer = ask_agent(state_dir, request);
  if (answer.ok()) return print(answer.value());
  if (answer.status().code() == Code::NotFound) return list_offline(state_dir, line);
  fprintf(stderr, "weir dead-letters: error: %s: %s\n", state_dir.c_str(), answer.status().text());
  return exit_failure;
}

}  // namespace weir
