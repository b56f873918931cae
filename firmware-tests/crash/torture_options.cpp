#include "firmware-tests/crash/torture_options.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string_view>

#include "firmware-tests/faults/crash_points.h"

namespace weir {
namespace {

constexpr int exit_usage = 64;

constexpr const char* help =
    "usage: weir-torture [--kills N] [--seed S] [--rate R] [--keys K] [--seconds N] [--mqtt 5|3.1.1]\n"
    "                    [--ack checkpoint|journal] [--agent PATH] [--at POINT|all]\n\n"
    "Publishes R numbered messages per second (default 4000) over K keys (default 20) while the agent is killed N times\n"
    "(default 50) with SIGKILL at random moments, stopped, and robbed of its MQTT session; then accounts for every message in\n"
    "the windows that came out, and checks the id of every result. The same seed gives the same schedule and payloads.\n"
    "With --at the agent dies at named places in its own code instead, one after the other: those whose name begins with\n"
    "POINT (checkpoint, outbox.send, ...), see firmware-tests/faults/crash_points.h; always a whole round of them.\n"
    "Last line: sent=... applied=... lost=... duplicated=... kills=... seed=...; `applied` counts what a window or the filter\n"
    "has taken. Exit codes: 0 nothing lost, doubled or wrongly named; 1 otherwise, and the run's directory is kept.\n";

bool read_number(std::string_view text, uint64_t& to) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), to);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read_option(std::string_view name, std::string_view value, TortureOptions& to) {
  uint64_t seconds = 0;
  if (name == "--kills") return read_number(value, to.kills);
  if (name == "--seed") return read_number(value, to.seed);
  if (name == "--rate") return read_number(value, to.rate) && to.rate > 0;
  if (name == "--keys") return read_number(value, to.keys) && to.keys > 0 && to.keys <= 1000;
  if (name == "--seconds") {
    const bool read = read_number(value, seconds);
    to.seconds = static_cast<int64_t>(seconds);
    return read;
  }
  if (name == "--mqtt") {
    to.version5 = value == "5";
    return value == "5" || value == "3.1.1";
  }
  if (name == "--ack") {
    to.journal = value == "journal";
    return value == "checkpoint" || value == "journal";
  }
  if (name == "--at") {
    to.at_points = true;
    to.point = value == "all" ? "" : value;
    return std::ranges::any_of(test::crash_points, [&](const test::CrashPoint& point) {
      return point.needs != test::CrashPointNeeds::Reload && point.name.starts_with(to.point);
    });
  }
  if (name == "--agent") {
    to.agent = value;
    return !value.empty();
  }
  return false;
}

}  // namespace

std::optional<TortureOptions> parse_torture_options(int count, char** arguments, int& exit_code) {
  TortureOptions options;
  for (int index = 1; index < count; index += 2) {
    if (strcmp(arguments[index], "--help") == 0 || strcmp(arguments[index], "-h") == 0) {
      fputs(help, stdout);
      exit_code = 0;
      return std::nullopt;
    }
    const char* value = index + 1 < count ? arguments[index + 1] : "";
    if (!read_option(arguments[index], value, options)) {
      fprintf(stderr, "weir-torture: error: %s %s: see --help\n", arguments[index], value);
      exit_code = exit_usage;
      return std::nullopt;
    }
  }
  if (options.agent.empty()) options.agent = options.at_points ? WEIR_BINARY_DIR "/firmware-tests/weir_crashing" : WEIR_AGENT;
  if (options.seed == 0) options.seed = static_cast<uint64_t>(time(nullptr));
  return options;
}

}  // namespace weir
