#include <chrono>
#include <cstdio>
#include <thread>

#include "agent/app/commands.h"
#include "agent/app/configuration.h"
#include "agent/app/control_client.h"
#include "agent/app/savepoint_report.h"
#include "agent/base/clock.h"
#include "storage/state_lock.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir stop [CONFIG... | --state-dir DIR] [--drain] [--savepoint [--to FILE]] [--json]\n\n"
    "Stops the agent that runs on this machine, as SIGTERM does, and waits until it has ended: each pipeline makes its last\n"
    "checkpoint, and what it has acknowledged is part of it.\n"
    "  --drain       before that every window hands over what it has, as if no more input were to come. Only to end for good:\n"
    "                the pipelines do not go on from there\n"
    "  --savepoint   and makes a savepoint of the last checkpoints; --to names its file, as for weir savepoint create\n"
    "Where a service manager starts the agent again whatever happens, use that one instead.\n"
    "Exit codes: 0, 1 if no agent is running there, or it did not end, or there is no savepoint.\n";

/// Longer than a stop with --drain may take.
constexpr int64_t patience_ms = 90'000;

/// The lock goes with the process.
bool wait_for_end(const std::string& state_dir) {
  SystemClock clock;
  const int64_t deadline_ms = clock.now().boot_ms + patience_ms;
  while (clock.now().boot_ms < deadline_ms) {
    StateLock lock;
    if (lock.acquire(state_dir).code() != Code::Busy) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

}  // namespace

int command_stop(int count, char** arguments) {
  const CommandLine line = parse_command_line(count, arguments, {"set", "state-dir", "drain!", "savepoint!", "to", "json"});
  if (!line.error.empty()) return usage_error("stop", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  const bool savepoint = line.flags.contains("savepoint");
  if (!savepoint && line.values.contains("to")) return usage_error("stop", "--to belongs to --savepoint");
  const std::string state_dir = find_state_dir(line);
  if (state_dir.empty()) return exit_config;
  const Result<std::string> answer = ask_agent(state_dir, line.flags.contains("drain") ? "stop drain" : "stop");
  if (!answer.ok()) return command_failed("stop", state_dir + ": " + answer.status().text());
  if (answer.value().starts_with("error: "))
    return command_failed("stop", answer.value().substr(7, answer.value().find('\n') - 7));
  if (!wait_for_end(state_dir)) return command_failed("stop", "the agent is still running: " + answer.value());
  if (!line.json) printf("stopped\n");
  return savepoint ? create_savepoint("stop", state_dir, line) : exit_ok;
}

}  // namespace weir
