#include <cstdio>
#include <ctime>
#include <string>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/stored_part_text.h"
#include "agent/app/stored_states.h"
#include "agent/base/json_string.h"
#include "agent/operators/state_text.h"
#include "storage/checkpoint_store.h"
#include "storage/files.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir state list   [CONFIG... | --state-dir DIR | --savepoint FILE] [--pipeline NAME] [--json]\n"
    "       weir state show   [CONFIG... | --state-dir DIR | --savepoint FILE] [--pipeline NAME] [--step ID]\n"
    "       weir state export [CONFIG... | --state-dir DIR | --savepoint FILE] [--pipeline NAME] [--step ID]\n"
    "                         [--format json|csv]\n"
    "       weir state drop   [CONFIG... | --state-dir DIR] [--pipeline NAME] --step ID\n"
    "       weir state drop   [CONFIG... | --state-dir DIR] --pipeline NAME --all\n\n"
    "Looks at the stored state of an agent that does not run, or at a savepoint.\n"
    "  list    the parts of the newest checkpoint, and steps that have left the configuration and are kept for their return\n"
    "  show    what each part is: its fields with types, what it knows besides its keys, and its keys with their values\n"
    "  export  one line per key: JSON, or CSV of one step\n"
    "  drop    forgets a step that is kept; with --all the whole state of a pipeline, which then begins anew\n"
    "Exit codes: 0, 1 if there is no state or an agent uses it, 64 for a wrong command line.\n";

int fail(const std::string& text) { return command_failed("state", text); }

int fail_to_open(const std::string& state_dir, Status status) {
  if (status.code() == Code::Busy && status.detail() > 0)
    return fail("an agent (pid " + std::to_string(status.detail()) + ") is using " + state_dir +
                "; stop it, its last checkpoint has the state as of then");
  return fail(state_dir + ": " + status.text());
}

std::string age_text(int64_t since_wall_ms) {
  const int64_t seconds = static_cast<int64_t>(time(nullptr)) - since_wall_ms / 1000;
  // The clock was set in between.
  if (seconds < 0) return "?";
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  return seconds < 172800 ? std::to_string(seconds / 3600) + " h" : std::to_string(seconds / 86400) + " days";
}

void list_json(const StoredState& state, const StoredPart& part) {
  std::string line = "{\"pipeline\":" + json_string(state.pipeline) + "," + part_json_members(part) +
                     ",\"checkpoint\":" + std::to_string(part.checkpoint_id) + ",\"kept\":" + (part.kept ? "true" : "false");
  if (part.kept) line += ",\"since_ms\":" + std::to_string(part.since_wall_ms);
  printf("%s}\n", line.c_str());
}

int list(const std::vector<StoredState>& states, bool json) {
  for (const StoredState& state : states) {
    if (!json) {
      printf("pipeline %s: checkpoint %llu\n", state.pipeline.c_str(), static_cast<unsigned long long>(state.checkpoint_id));
      printf("%s\n", part_table_header().c_str());
    }
    for (const StoredPart& part : state.parts) {
      if (json) {
        list_json(state, part);
        continue;
      }
      printf("%s", part_table_row(part).c_str());
      if (part.kept)
        printf("  kept for %s, of checkpoint %llu", age_text(part.since_wall_ms).c_str(),
               static_cast<unsigned long long>(part.checkpoint_id));
      if (!part.damage.empty()) printf("  damaged: %s", part.damage.c_str());
      printf("\n");
    }
  }
  return exit_ok;
}

Status show_part(const StoredPart& part) {
  printf("%s%s\n", part.uid.c_str(), part.kept ? " (kept for its return)" : "");
  if (!part.described || (part.layout.fields.empty() && part.slots == nullptr)) {
    printf("  %s, %llu bytes\n", kind_text(part).c_str(), static_cast<unsigned long long>(part.bytes));
    return {};
  }
  std::string text = "  " + part.layout.text();
  for (size_t at = text.find('\n'); at != std::string::npos && at + 1 < text.size(); at = text.find('\n', at + 3))
    text.insert(at + 1, "  ");
  std::string own;
  append_own_json(part.layout, part.own, own);
  printf("%s  -- %s\n", text.c_str(), own.c_str());
  if (part.slots == nullptr) return {};
  return part.slots->each([&](Bytes slot) -> Status {
    std::string line;
    WEIR_TRY(append_state_json(part.layout, slot, line));
    printf("  %s\n", line.c_str());
    return {};
  });
}

Status export_json(const StoredState& state, const StoredPart& part) {
  const std::string front = "{\"pipeline\":" + json_string(state.pipeline) + ",\"step\":" + json_string(part.uid) + ",";
  return part.slots->each([&](Bytes slot) -> Status {
    std::string line;
    WEIR_TRY(append_state_json(part.layout, slot, line));
    printf("%s%s\n", front.c_str(), line.c_str() + 1);
    return {};
  });
}

Status export_csv(const StoredPart& part) {
  printf("%s\n", state_csv_header(part.layout).c_str());
  return part.slots->each([&](Bytes slot) -> Status {
    std::string line;
    WEIR_TRY(append_state_csv(part.layout, slot, line));
    printf("%s\n", line.c_str());
    return {};
  });
}

/// Calls `visit` for the parts that --step names; false if there are none.
bool each_part(const std::vector<StoredState>& states, const CommandLine& line, bool with_keys,
               FunctionRef<Status(const StoredState&, const StoredPart&)> visit, Status& status) {
  bool found = false;
  for (const StoredState& state : states)
    for (const StoredPart& part : state.parts) {
      if (!line.step.empty() && part.uid != line.step) continue;
      if (with_keys && part.slots == nullptr) continue;
      found = true;
      if (status.ok()) status = visit(state, part);
    }
  return found;
}

int print_states(const std::vector<StoredState>& states, const std::string& what, const CommandLine& line) {
  if (what == "list") return list(states, line.json);
  Status status;
  size_t count = 0;
  auto counted = [&](const StoredState&, const StoredPart&) {
    ++count;
    return Status();
  };
  const bool csv = line.format == "csv";
  if (csv && each_part(states, line, true, counted, status) && count > 1)
    return usage_error("state", "each step has columns of its own: name one with --step (and --pipeline)");
  const bool exports = what == "export";
  const bool found = each_part(
      states, line, exports,
      [&](const StoredState& state, const StoredPart& part) {
        if (!exports) return show_part(part);
        return csv ? export_csv(part) : export_json(state, part);
      },
      status);
  if (!status.ok()) return fail(status.text());
  if (!found && !line.step.empty()) return fail("no step \"" + line.step + "\" with stored keys; see weir state list");
  return exit_ok;
}

/// The whole state of a pipeline.
int drop_all(SqliteCheckpointStore& store, const CommandLine& line) {
  if (line.pipeline.empty()) return usage_error("state", "--all takes the --pipeline");
  bool found = false;
  Status status = store.each_pipeline([&](std::string_view name) {
    found |= name == line.pipeline;
    return Status();
  });
  if (status.ok() && !found) return fail("there is no state of a pipeline \"" + line.pipeline + "\"; see weir state list");
  const Result<PipelineRow> row = status.ok() ? store.open_pipeline(line.pipeline, {}) : Result<PipelineRow>(status);
  status = row.status();
  if (status.ok()) status = store.replace(row.value().pipeline, [] { return Status(); });
  if (!status.ok()) return fail(status.text());
  printf("dropped: all state of pipeline %s; it begins anew\n", line.pipeline.c_str());
  return exit_ok;
}

int drop(const std::string& state_dir, const CommandLine& line) {
  const bool all = line.flags.contains("all");
  if (line.step.empty() != all) return usage_error("state", "drop takes --step, or --pipeline with --all");
  std::vector<StoredState> states;
  SqliteCheckpointStore store;
  if (!file_exists(state_dir + "/weir.db")) return fail(state_dir + ": there is no database");
  StoreOptions options;
  options.state_dir = state_dir;
  if (Status status = store.open(options); !status.ok()) return fail_to_open(state_dir, status);
  if (all) return drop_all(store, line);
  if (Status status = read_stored_states(store, line.pipeline, states); !status.ok()) return fail(status.text());
  const StoredPart* found = nullptr;
  for (const StoredState& state : states)
    for (const StoredPart& part : state.parts) {
      if (part.uid != line.step) continue;
      if (!part.kept) return fail("\"" + part.uid + "\" is part of the newest checkpoint; only what is kept can be dropped");
      if (found != nullptr) return usage_error("state", "several pipelines keep such a step: name one with --pipeline");
      found = &part;
    }
  if (found == nullptr) return fail("nothing is kept of \"" + line.step + "\"; see weir state list");
  if (Status status = store.forget_kept(found->op, true); !status.ok()) return fail(status.text());
  printf("dropped: %s, %s keys, %llu bytes\n", found->uid.c_str(), keys_text(*found).c_str(),
         static_cast<unsigned long long>(found->bytes));
  return exit_ok;
}

}  // namespace

int command_state(int count, char** arguments) {
  CommandLine line =
      parse_command_line(count, arguments, {"set", "state-dir", "savepoint", "pipeline", "step", "format", "json", "all!"});
  if (!line.error.empty()) return usage_error("state", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  const std::string what = line.words.empty() ? "" : line.words.front();
  if (what != "list" && what != "show" && what != "export" && what != "drop")
    return usage_error("state", "say what to do: list, show, export or drop");
  if (!line.format.empty() && line.format != "json" && line.format != "csv")
    return usage_error("state", "--format is json or csv");
  line.words.erase(line.words.begin());
  const auto savepoint = line.values.find("savepoint");
  if (savepoint != line.values.end() && what == "drop") return usage_error("state", "a savepoint is never changed");
  const std::string path = savepoint == line.values.end() ? find_state_dir(line) : savepoint->second;
  if (path.empty()) return exit_config;
  if (what == "drop") return drop(path, line);
  SqliteCheckpointStore store;
  if (Status status = store.open(reading_options(path)); !status.ok()) return fail_to_open(path, status);
  std::vector<StoredState> states;
  if (Status status = read_stored_states(store, line.pipeline, states); !status.ok()) return fail(path + ": " + status.text());
  return print_states(states, what, line);
}

}  // namespace weir
