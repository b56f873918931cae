#include "firmware-tests/support/agent_process.h"

#include <csignal>
#include <utility>

#include "firmware-tests/support/control_client.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/wait.h"

namespace weir {

AgentProcess::AgentProcess(AgentOptions options) : options_(std::move(options)) {}

Status AgentProcess::start() {
  ProcessOptions process;
  process.arguments = {options_.program, "run"};
  for (const std::string& config : options_.configs) process.arguments.push_back(config);
  for (const std::string& setting : options_.settings) {
    process.arguments.push_back("--set");
    process.arguments.push_back(setting);
  }
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
        const Result<AgentStatus> now = status();
        // A socket that a killed agent left behind, or one that answers for another process, does not count.
        ready = now.ok() && now.value().ready && now.value().pid == pid();
        return ready;
      },
      1);
  return ready;
}

std::optional<ProcessEnd> AgentProcess::terminate(int64_t deadline_ms) {
  process_.signal(SIGTERM);
  return process_.wait(deadline_ms);
}

Result<AgentStatus> AgentProcess::status() const {
  const Result<std::string> answer = ask_agent(control_socket(), "status json");
  if (!answer.ok()) return answer.status();
  return parse_agent_status(answer.value());
}

AgentStatus AgentProcess::wait_for(FunctionRef<bool(const AgentStatus&)> condition, int64_t deadline_ms) {
  AgentStatus last;
  eventually(
      deadline_ms,
      [&] {
        const Result<AgentStatus> now = status();
        if (now.ok()) last = now.value();
        return now.ok() && condition(last);
      },
      10);
  return last;
}

std::string AgentProcess::log() const { return read_file(options_.log_path); }

}  // namespace weir
