#include <algorithm>
#include <cstdio>
#include <string>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/control_client.h"
#include "agent/app/dead_letter_changes.h"
#include "agent/status/dead_letter_report.h"
#include "storage/checkpoint_store.h"

namespace weir {
namespace {

/// A payload of the largest kind, as JSON.
constexpr size_t one_letter_bytes_max = 8 << 20;

constexpr const char* help =
    "usage: weir dead-letters list [CONFIG... | --state-dir DIR] [--json] [--limit N] [--after ID]\n"
    "       weir dead-letters show ID [CONFIG... | --state-dir DIR] [--json]\n"
    "       weir dead-letters replay|purge [SELECTION] [--yes] [CONFIG... | --state-dir DIR] [--json]\n\n"
    "list: the messages that were set aside, oldest first: when, which step, why, topic and the beginning of the payload.\n"
    "show: one of them, with all that is kept of its payload (dead_letters.max_payload).\n"
    "replay: the running agent takes the messages in once more, as if they had just come. What is taken up is gone from the\n"
    "list with the next checkpoint, which holds its effect; what is refused again comes back to the list.\n"
    "purge: deletes them.\n"
    "SELECTION: --pipeline NAME, --reason REASON, --id ID, --older 7d, or --all. Without --yes they are only counted.\n"
    "Asks the running agent, or opens the state directory when none runs (not to replay). --json prints one object per line.\n"
    "Exit codes: 0, 1 if it could not be done.\n";

int print(const std::string& answer) {
  if (answer.starts_with("error: ")) {
    fprintf(stderr, "weir dead-letters: %s", answer.c_str());
    return exit_failure;
  }
  fputs(answer.c_str(), stdout);
  return exit_ok;
}

/// What is asked for: a page of the list, or one letter.
struct Question {
  int64_t id = 0;  // 0: the list
  int64_t after = 0;
  int64_t limit = 0;
  bool json = false;

  std::string line() const {
    const std::string form = json ? "json " : "text ";
    return id > 0 ? "dead-letter " + form + std::to_string(id)
                  : "dead-letters " + form + std::to_string(after) + " " + std::to_string(limit);
  }
};

/// No agent runs: the store is opened for reading, under the lock that would keep an agent from starting meanwhile.
int answer_offline(const std::string& state_dir, const Question& question) {
  SqliteCheckpointStore store;
  Status status = store.open(reading_options(state_dir));
  std::string buffer(
      question.id > 0 ? one_letter_bytes_max : std::max<size_t>(64 * 1024, static_cast<size_t>(question.limit) * 8192), '\0');
  TextWriter out(buffer);
  if (status.ok())
    status = question.id > 0
                 ? show_dead_letter(store, question.id, question.json, out)
                 : list_dead_letters(store, question.after, static_cast<size_t>(question.limit), question.json, out);
  if (!status.ok()) return command_failed("dead-letters", state_dir + ": " + status.text());
  return print(std::string(out.text()));
}

/// Takes "list" or "show ID" off the words; false if it is neither.
bool take_words(CommandLine& line, Question& question) {
  if (line.words.empty()) return false;
  const bool show = line.words.front() == "show";
  if (!show && line.words.front() != "list") return false;
  line.words.erase(line.words.begin());
  if (!show) return true;
  if (line.words.empty()) return false;
  const std::string id = line.words.front();
  line.words.erase(line.words.begin());
  return parse_number(id, question.id) && question.id > 0;
}

}  // namespace

int command_dead_letters(int count, char** arguments) {
  CommandLine line = parse_command_line(
      count, arguments, {"set", "state-dir", "json", "limit", "after", "pipeline", "reason", "id", "older", "all!", "yes!"});
  if (!line.error.empty()) return usage_error("dead-letters", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  if (!line.words.empty() && (line.words.front() == "replay" || line.words.front() == "purge"))
    return change_dead_letters(line);
  Question question{.after = line.after, .limit = line.limit, .json = line.json};
  if (!take_words(line, question)) return usage_error("dead-letters", "say what to do: list, show ID, replay, or purge");
  if (line.limit < 1 || line.limit > 10000) return usage_error("dead-letters", "--limit takes 1 to 10000");
  const std::string state_dir = find_state_dir(line);
  if (state_dir.empty()) return exit_config;
  const Result<std::string> answer = ask_agent(state_dir, question.line());
  if (answer.ok()) return print(answer.value());
  if (answer.status().code() == Code::NotFound) return answer_offline(state_dir, question);
  return command_failed("dead-letters", state_dir + ": " + answer.status().text());
}

}  // namespace weir
