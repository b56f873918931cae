#include <cstdio>
#include <string>
#include <vector>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/control_client.h"
#include "agent/app/stored_states.h"
#include "agent/status/ledger_report.h"
#include "storage/checkpoint_store.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir ledger [CONFIG... | --state-dir DIR] [--json]\n\n"
    "The account of every message, pipeline by pipeline, since its state began:\n"
    "received = applied + filtered + late + dead letters + duplicates + shed. It is part of each checkpoint. Asks the running\n"
    "agent, or reads the newest checkpoints when none runs. --json prints one object per line.\n"
    "Exit codes: 0 all balance, 1 one does not, or nothing can be read.\n";

constexpr size_t entry_bytes_max = 8192;

/// One line of what is printed says so, in either form.
int print(const std::string& text, bool json) {
  fputs(text.c_str(), stdout);
  if (!json) return text.find("OUT OF BALANCE") == std::string::npos ? exit_ok : exit_failure;
  const std::string key = "\"imbalance\":";
  for (size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1))
    if (text.compare(at + key.size(), 1, "0") != 0) return exit_failure;
  return exit_ok;
}

void append_stored(const StoredState& state, bool json, std::string& text) {
  std::string buffer(entry_bytes_max, '\0');
  TextWriter out(buffer);
  LedgerEntry entry;
  entry.pipeline = state.pipeline;
  entry.ledger = state.ledger;
  entry.sources = state.sources;
  entry.checkpoint_id = state.checkpoint_id;
  json ? render_ledger_json(entry, out) : render_ledger_text(entry, out);
  text += out.text();
}

int print_stored(const std::string& state_dir, bool json) {
  SqliteCheckpointStore store;
  std::vector<StoredState> states;
  Status status = store.open(reading_options(state_dir));
  if (status.ok()) status = read_stored_states(store, {}, states);
  if (!status.ok()) return command_failed("ledger", state_dir + ": " + status.text());
  std::string text;
  for (const StoredState& state : states) append_stored(state, json, text);
  return print(text, json);
}

}  // namespace

int command_ledger(int count, char** arguments) {
  CommandLine line = parse_command_line(count, arguments, {"set", "state-dir", "json"});
  if (!line.error.empty()) return usage_error("ledger", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  const std::string state_dir = find_state_dir(line);
  if (state_dir.empty()) return exit_config;
  const Result<std::string> answer = ask_agent(state_dir, line.json ? "ledger json" : "ledger text");
  if (answer.ok()) return print(answer.value(), line.json);
  if (answer.status().code() == Code::NotFound) return print_stored(state_dir, line.json);
  return command_failed("ledger", state_dir + ": " + answer.status().text());
}

}  // namespace weir
