// AgentProcess: a real agent as its own process, to be started, watched over its control socket, killed and started again
// on the same state. Killed with the object. Start it from a thread that outlives it (process.h says why).
#pragma once

#include <string>
#include <vector>

#include "agent/base/function_ref.h"
#include "firmware-tests/support/observed_status.h"
#include "firmware-tests/support/process.h"

namespace weir {

/// The agent that tests run: the one that was built with them, or what WEIR_TEST_AGENT in the environment names: one of another
/// architecture, in an emulator.
std::string agent_program();
/// Whether that is one in an emulator, which has memory of its own.
bool agent_is_emulated();

struct AgentOptions {
  std::string program{};                   // the agent's binary
  std::vector<std::string> configs{};      // paths
  std::string state_dir{};                 // where the control socket appears; must be what the config says
  std::vector<std::string> settings{};     // "key=value", each passed with --set
  std::vector<std::string> flags{};        // further words of the command line
  std::vector<std::string> environment{};  // "NAME=VALUE"
  std::string log_path{};                  // standard output and error, of all runs
};

class AgentProcess {
 public:
  explicit AgentProcess(AgentOptions options);

  AgentOptions& options() { return options_; }
  /// Starts it and returns at once.
  Status start();
  /// start(), then wait_ready(). Code::Unavailable if it did not become ready, see log().
  Status start_ready(int64_t deadline_ms = 10'000);
  /// Until `status` says ready. False as soon as the process has ended.
  bool wait_ready(int64_t deadline_ms = 10'000);
  /// Until every pipeline's source is connected. A new one may not have subscribed yet: Broker::wait_for_subscription.
  bool wait_connected(int64_t deadline_ms = 10'000);
  bool running() { return process_.running(); }
  pid_t pid() const { return process_.pid(); }
  Process& process() { return process_; }

  void kill9() { process_.kill_and_wait(); }
  /// SIGTERM. Nothing if it still runs at the deadline.
  std::optional<ProcessEnd> terminate(int64_t deadline_ms = 10'000);

  Result<ObservedAgent> status() const;
  /// The first status that meets the condition, or the last one seen before the deadline.
  ObservedAgent wait_for(FunctionRef<bool(const ObservedAgent&)> condition, int64_t deadline_ms = 10'000);
  std::string log() const;

 private:
  AgentOptions options_;
  Process process_;
};

}  // namespace weir
