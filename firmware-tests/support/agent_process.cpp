#include "firmware-tests/support/agent_process.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "agent/app/control_client.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/wait.h"

namespace weir {

bool agent_is_emulated() {
  const char* other = getenv("WEIR_TEST_AGENT");
  return other != nullptr && *other != '\0';
}

std::string agent_program() { return agent_is_emulated() ? getenv("WEIR_TEST_AGENT") : WEIR_AGENT; }

AgentProcess::AgentProcess(AgentOptions options) : options_(std::move(options)) {}

Status AgentProcess::start() {
  ProcessOptions process;
  process.arguments = {options_.program, "run"};
  for (const std::string& config : options_.configs) process.arguments.push_back(config);
  for (const std::string& setting : options_.settings) {
    process.arguments.push_back("--set");
    process.arguments.push_back(setting);
  }
  process.arguments.insert(process.arguments.end(), options_.flags.begin(), options_.flags.end());
  process.environment = options_.environment;
  process.output_path = options_.log_path;
  process.error_path = options_.log_path;
  return process_.start(process);
}

Status AgentProcess::start_ready(int64_t deadline_ms) {
  WEIR_TRY(start());
  if (wait_ready(deadline_ms)) return {};
  return {Code::Unavailable, "the agent did not become ready"};
}

bool AgentProcess::wait_ready(int64_t deadline_ms) {
  bool ready = false;
  eventually(
      deadline_ms,
      [&] {
        if (!running()) return true;
        const Result<ObservedAgent> now = status();
        // A socket that a killed agent left behind, or one that answers for another process, does not count.
        ready = now.ok() && now.value().ready && now.value().pid == pid();
        return ready;
      },
      1);
  return ready;
}

bool AgentProcess::wait_connected(int64_t deadline_ms) {
  const auto connected = [this](const ObservedAgent& agent) {
    return agent.pid == pid() && !agent.pipelines.empty() &&
           std::ranges::all_of(agent.pipelines, [](const ObservedPipeline& pipeline) { return pipeline.source.connected; });
  };
  return wait_ready(deadline_ms) && connected(wait_for(connected, deadline_ms));
}

std::optional<ProcessEnd> AgentProcess::terminate(int64_t deadline_ms) {
  process_.signal(SIGTERM);
  return process_.wait(deadline_ms);
}

Result<ObservedAgent> AgentProcess::status() const {
  const Result<std::string> answer = ask_agent(options_.state_dir, "status json");
  if (!answer.ok()) return answer.status();
  return parse_status(answer.value());
}

ObservedAgent AgentProcess::wait_for(FunctionRef<bool(const ObservedAgent&)> condition, int64_t deadline_ms) {
  ObservedAgent last;
  eventually(
      deadline_ms,
      [&] {
        const Result<ObservedAgent> now = status();
        if (now.ok()) last = now.value();
        return now.ok() && condition(last);
      },
      10);
  return last;
}

std::string AgentProcess::log() const { return read_whole_file(options_.log_path); }

}  // namespace weir
