#include "agent/app/dead_letter_changes.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/control_client.h"
#include "agent/base/clock.h"
#include "agent/config/quantity.h"
#include "storage/checkpoint_store.h"

namespace weir {
namespace {

/// A portion of replays may wait for a slow card.
constexpr int patience_seconds = 60;

struct Selected {
  std::string pipeline;
  std::string reason;
  int64_t id = 0;
  int64_t before_ms = INT64_MAX;
  int64_t up_to = INT64_MAX;
  std::string error;

  std::string words(const char* verb, int64_t after) const {
    return std::string(verb) + " " + std::to_string(after) + " " + std::to_string(up_to) + " " +
           (pipeline.empty() ? "-" : pipeline) + " " + (reason.empty() ? "-" : reason) + " " + std::to_string(id) + " " +
           std::to_string(before_ms);
  }
  DeadLetterSelection selection() const { return {0, up_to, pipeline, reason, id, before_ms}; }
};

std::string value_of(const CommandLine& line, const char* name) {
  const auto found = line.values.find(name);
  return found == line.values.end() ? "" : found->second;
}

Selected selected_by(const CommandLine& line) {
  Selected selected;
  selected.pipeline = line.pipeline;
  selected.reason = value_of(line, "reason");
  const std::string id = value_of(line, "id");
  if (!id.empty() && (!parse_number(id, selected.id) || selected.id < 1)) selected.error = "--id takes a number of the list";
  const std::string older = value_of(line, "older");
  if (!older.empty()) {
    const Quantity quantity = parse_duration(older);
    if (!quantity.problem.empty()) selected.error = "--older: " + quantity.problem;
    selected.before_ms = SystemClock().now().wall_ms - quantity.value;
  }
  const bool any = !selected.pipeline.empty() || !selected.reason.empty() || !id.empty() || !older.empty();
  if (any == line.flags.contains("all")) selected.error = "say which: --pipeline, --reason, --id, --older, or --all";
  for (const std::string& name : {selected.pipeline, selected.reason})
    if (name.find_first_of(" \n") != std::string::npos || name == "-") selected.error = quoted(name) + " is no name";
  return selected;
}

/// The last line of an answer, in words; what stands before it is printed.
std::vector<std::string> last_line(const std::string& answer) {
  const size_t end = answer.empty() ? 0 : answer.size() - 1;
  const size_t begin = answer.rfind('\n', end == 0 ? 0 : end - 1);
  const size_t start = begin == std::string::npos ? 0 : begin + 1;
  fputs(answer.substr(0, start).c_str(), stderr);
  std::vector<std::string> words;
  for (size_t at = start; at < end;) {
    const size_t blank = std::min(answer.find(' ', at), end);
    words.push_back(answer.substr(at, blank - at));
    at = blank + 1;
  }
  return words;
}

/// Code::NotFound: no agent runs.
Result<std::vector<std::string>> ask(const std::string& state_dir, const std::string& words) {
  const Result<std::string> answer = ask_agent(state_dir, "dead-letters-do " + words, patience_seconds);
  if (!answer.ok()) return answer.status();
  if (answer.value().starts_with("error: ")) {
    fprintf(stderr, "weir dead-letters: %s", answer.value().c_str());
    return Status(Code::Refused, "");
  }
  return last_line(answer.value());
}

int64_t number(const std::vector<std::string>& words, size_t index) {
  return index < words.size() ? strtoll(words[index].c_str(), nullptr, 10) : 0;
}

bool more(const std::vector<std::string>& words) { return !words.empty() && words.back() == "more"; }

int say_counted(const char* verb, uint64_t count, bool json) {
  if (json)
    printf("{\"selected\":%llu,\"done\":false}\n", static_cast<unsigned long long>(count));
  else
    printf("%llu dead letters are selected; to %s them: --yes\n", static_cast<unsigned long long>(count), verb);
  return exit_ok;
}

int say_purged(uint64_t count, bool json) {
  printf(json ? "{\"purged\":%llu}\n" : "%llu dead letters purged\n", static_cast<unsigned long long>(count));
  return exit_ok;
}

int replay(const std::string& state_dir, const Selected& selected, bool json) {
  int64_t taken = 0;
  int64_t again = 0;
  int64_t skipped = 0;
  int64_t after = 0;
  while (true) {
    const auto answer = ask(state_dir, selected.words("replay", after));
    if (!answer.ok()) return exit_failure;
    taken += number(answer.value(), 1);
    again += number(answer.value(), 2);
    skipped += number(answer.value(), 3);
    after = number(answer.value(), 4);
    if (!more(answer.value())) break;
  }
  printf(json ? "{\"taken\":%lld,\"refused_again\":%lld,\"skipped\":%lld}\n"
              : "%lld replayed, %lld refused again and listed anew, %lld skipped\n",
         static_cast<long long>(taken), static_cast<long long>(again), static_cast<long long>(skipped));
  return exit_ok;
}

int purge_online(const std::string& state_dir, const Selected& selected, bool json) {
  uint64_t count = 0;
  while (true) {
    const auto answer = ask(state_dir, selected.words("purge", 0));
    if (!answer.ok()) return exit_failure;
    count += static_cast<uint64_t>(number(answer.value(), 1));
    if (!more(answer.value())) return say_purged(count, json);
  }
}

/// No agent runs: the store is opened under the lock that keeps one from starting meanwhile.
int purge_offline(const std::string& state_dir, const Selected& selected, bool yes, bool json) {
  const auto failed = [&](Status status) { return command_failed("dead-letters", state_dir + ": " + status.text()); };
  {
    SqliteCheckpointStore store;
    if (const Status status = store.open(reading_options(state_dir)); !status.ok()) return failed(status);
    const Result<SelectedLetters> counted = store.count_dead_letters(selected.selection());
    if (!counted.ok()) return failed(counted.status());
    if (!yes) return say_counted("purge", counted.value().count, json);
  }
  StoreOptions options;
  options.state_dir = state_dir;
  SqliteCheckpointStore store;
  if (const Status status = store.open(options); !status.ok()) return failed(status);
  uint64_t purged = 0;
  while (true) {
    const Result<size_t> portion = store.purge_dead_letters(selected.selection());
    if (!portion.ok()) return failed(portion.status());
    purged += portion.value();
    if (portion.value() < SqliteCheckpointStore::purge_portion) return say_purged(purged, json);
  }
}

}  // namespace

int change_dead_letters(CommandLine line) {
  const std::string verb = line.words.front();
  line.words.erase(line.words.begin());
  Selected selected = selected_by(line);
  if (!selected.error.empty()) return usage_error("dead-letters", selected.error.c_str());
  const std::string state_dir = find_state_dir(line);
  if (state_dir.empty()) return exit_config;
  const bool yes = line.flags.contains("yes");
  const auto counted = ask(state_dir, selected.words("count", 0));
  if (counted.status().code() == Code::NotFound && verb == "purge") return purge_offline(state_dir, selected, yes, line.json);
  if (counted.status().code() == Code::Refused) return exit_failure;
  if (!counted.ok()) return command_failed("dead-letters", state_dir + ": " + counted.status().text());
  if (!yes) return say_counted(verb.c_str(), static_cast<uint64_t>(number(counted.value(), 1)), line.json);
  // What is set aside meanwhile, and so again, is not for this run.
  selected.up_to = number(counted.value(), 2);
  return verb == "purge" ? purge_online(state_dir, selected, line.json) : replay(state_dir, selected, line.json);
}

}  // namespace weir
