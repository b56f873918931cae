#include <algorithm>
#include <cstdio>

#include "agent/app/commands.h"
#include "agent/app/doctor.h"
#include "agent/base/json_string.h"

namespace weir {
namespace {

constexpr const char* help =
    "usage: weir doctor [CONFIG...] [--set KEY=VALUE]... [--json]\n\n"
    "Looks at what the agent needs around it: configuration, unit, files, clock, disk, flash, memory, broker. Reads and "
    "connects,\n"
    "writes nothing; may be run beside an agent. As root it sees what only root may see.\n"
    "A line for each subject: ok, warn or fail, what is the case, and what to do. Exit codes: 0 nothing has failed, 1 "
    "something "
    "has.\n";

void print_text(const std::vector<Finding>& findings) {
  for (const Finding& each : findings) {
    printf("%-5s %s: %s\n", verdict_name(each.verdict), each.check.c_str(), each.found.c_str());
    if (!each.advice.empty()) printf("      %s\n", each.advice.c_str());
  }
}

void print_json(const std::vector<Finding>& findings) {
  const char* comma = "";
  printf("[");
  for (const Finding& each : findings) {
    printf("%s{\"verdict\":\"%s\",\"check\":%s,\"found\":%s,\"advice\":%s}", comma, verdict_name(each.verdict),
           json_string(each.check).c_str(), json_string(each.found).c_str(), json_string(each.advice).c_str());
    comma = ",\n ";
  }
  printf("]\n");
}

}  // namespace

int command_doctor(int count, char** arguments) {
  const CommandLine line = parse_command_line(count, arguments, {"set", "json"});
  if (!line.error.empty()) return usage_error("doctor", line.error.c_str());
  if (line.help) {
    fputs(help, stdout);
    return exit_ok;
  }
  SystemClock clock;
  LoadedConfig config = load_config(config_paths(line), line.overrides);
  std::unique_ptr<Agent> agent;
  if (!config.unusable) agent = std::make_unique<Agent>(config, clock);
  Host host;
  host.config = &config;
  if (config.diagnostics.errors() == 0) host.agent = agent.get();
  host.config_paths = config_paths(line);
  host.clock = &clock;
  host.user = user_of(host, UnitSettings(host));
  std::vector<Finding> findings;
  for (const DoctorCheck check : doctor_checks) check(host, findings);
  line.json ? print_json(findings) : print_text(findings);
  const bool failed = std::ranges::find(findings, Verdict::Fail, &Finding::verdict) != findings.end();
  return failed ? exit_failure : exit_ok;
}

}  // namespace weir
