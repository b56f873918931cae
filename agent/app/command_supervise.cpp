#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "agent/app/command_line.h"
#include "agent/app/commands.h"
#include "agent/app/supervisor.h"
#include "agent/base/log.h"
#include "agent/config/quantity.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir supervise [options] -- PROGRAM [ARGUMENT...]\n\n"
    "Does for a program what systemd does elsewhere: starts it, waits for READY=1, starts it again when it fails, and kills it "
    "when\n"
    "it falls silent. The program is `weir run ...`, or any other that speaks sd_notify's protocol.\n"
    "  --watchdog TIME         without WATCHDOG=1 for so long, the program gets SIGABRT; 0s for off (30s)\n"
    "  --start-timeout TIME    until READY=1; the program may ask for more (90s)\n"
    "  --stop-timeout TIME     from SIGTERM to SIGKILL; the program may ask for more (90s)\n"
    "  --abort-timeout TIME    from SIGABRT to SIGKILL (10s)\n"
    "  --restart STRATEGY      none, fixed-delay, exponential-delay or failure-rate, as `restart` of a pipeline\n"
    "                          (exponential-delay)\n"
    "  --attempts N, --delay TIME                        of fixed-delay (1, 1s)\n"
    "  --max-failures N, --interval TIME, --delay TIME   of failure-rate (1, 1min, 1s); the first two also of\n"
    "                          exponential-delay: more failures than that within the interval are the end (10, 10min)\n"
    "  --watchdog-device PATH  /dev/watchdog: written to while all is well, so that the machine starts anew when it is not.\n"
    "                          Armed when the program was ready first; disarmed at an orderly end only\n"
    "  --watchdog-device-timeout TIME   (30s)\n\n"
    "SIGTERM and SIGINT stop the program in order; SIGHUP and SIGUSR1 are handed on\n"
    "once it is ready. Exit code: the program's; 128 and the "
    "signal\n"
    "that ended it. Ends without another start after 0, 64, 65, 78, 126 and 127, and when the strategy allows none.\n";

/// False, with the reason in `error`, if the option is there and no duration.
bool take_duration(const CommandLine& line, const char* name, int64_t& ms, std::string& error) {
  const auto found = line.values.find(name);
  if (found == line.values.end()) return true;
  const Quantity quantity = parse_duration(found->second);
  ms = quantity.value;
  if (!quantity.problem.empty()) error = std::string("--") + name + ": " + quantity.problem;
  return quantity.problem.empty();
}

bool take_count(const CommandLine& line, const char* name, uint64_t maximum, uint64_t& count, std::string& error) {
  const auto found = line.values.find(name);
  if (found == line.values.end()) return true;
  char* end = nullptr;
  count = strtoull(found->second.c_str(), &end, 10);
  const bool good = *end == '\0' && count >= 1 && count <= maximum;
  if (!good) error = std::string("--") + name + " takes a number from 1 to " + std::to_string(maximum);
  return good;
}

/// The defaults of each are Flink's, and for `exponential-delay` those of RestartRule.
bool take_strategy(const CommandLine& line, RestartRule& restart, std::string& error) {
  const auto found = line.values.find("restart");
  if (found != line.values.end() && !restart_kind_named(found->second, restart.kind)) {
    error = "--restart: there are none, fixed-delay, exponential-delay and failure-rate";
    return false;
  }
  if (restart.kind == RestartKind::FixedDelay) restart.attempts = 1;
  if (restart.kind == RestartKind::FailureRate) restart.failures = 1;
  if (restart.kind == RestartKind::FailureRate) restart.interval_ms = 60'000;
  return true;
}

bool take_failures(const CommandLine& line, RestartRule& restart, std::string& error) {
  uint64_t failures = restart.failures;
  if (!take_count(line, "max-failures", restart_failures_max, failures, error)) return false;
  restart.failures = static_cast<uint32_t>(failures);
  return true;
}

bool take_options(const CommandLine& line, SupervisorOptions& options, RestartRule& restart, std::string& error) {
  SupervisorTimes& times = options.times;
  if (!take_strategy(line, restart, error) || !take_duration(line, "watchdog", times.watchdog_ms, error) ||
      !take_duration(line, "start-timeout", times.start_ms, error) ||
      !take_duration(line, "stop-timeout", times.stop_ms, error) ||
      !take_duration(line, "abort-timeout", times.abort_ms, error) ||
      !take_duration(line, "watchdog-device-timeout", options.watchdog_device_ms, error) ||
      !take_duration(line, "delay", restart.delay_ms, error) || !take_duration(line, "interval", restart.interval_ms, error) ||
      !take_count(line, "attempts", 1'000'000, restart.attempts, error) || !take_failures(line, restart, error))
    return false;
  const auto text = [&line](const char* name, const std::string& standard) {
    return line.values.contains(name) ? line.values.at(name) : standard;
  };
  options.watchdog_device = text("watchdog-device", "");
  return true;
}

}  // namespace

int command_supervise(int count, char** arguments) {
  int own = 0;
  while (own < count && std::string_view(arguments[own]) != "--") ++own;
  const CommandLine line =
      parse_command_line(own, arguments,
                         {"watchdog", "start-timeout", "stop-timeout", "abort-timeout", "restart", "attempts", "delay",
                          "max-failures", "interval", "watchdog-device", "watchdog-device-timeout"});
  if (!line.error.empty()) return usage_error("supervise", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  if (own + 1 >= count || !line.words.empty()) return usage_error("supervise", "the program stands behind \"--\"");
  SupervisorOptions options;
  options.command.assign(arguments + own + 1, arguments + count);
  RestartRule restart;
  std::string error;
  if (!take_options(line, options, restart, error)) return usage_error("supervise", error.c_str());
  set_log_for_terminal(getenv("JOURNAL_STREAM") == nullptr);
  RestartStrategy restarts(restart, static_cast<uint64_t>(getpid()));
  Supervisor supervisor(std::move(options), restarts);
  if (const Status status = supervisor.open(); !status.ok()) {
    log(LogLevel::Error, "supervise: %s (%d)", status.text(), status.detail());
    return exit_failure;
  }
  return supervisor.run();
}

}  // namespace weir
