#include "firmware-tests/support/test_gateway.h"

#include <algorithm>
#include <utility>

#include "agent/base/assert.h"
#include "firmware-tests/support/files.h"

namespace weir {

TestGateway::TestGateway(std::string config, std::string agent_program)
    : config_(std::move(config)),
      agent_({.program = std::move(agent_program),
              .configs = {config_path()},
              .state_dir = state_dir(),
              .log_path = directory_.file("agent.log")}) {}

void TestGateway::replace(std::string_view name, std::string_view value) {
  for (size_t at = 0; (at = config_.find(name, at)) != std::string::npos; at += value.size()) {
    config_.replace(at, name.size(), value);
  }
}

void TestGateway::write_config() {
  replace("@STATE@", state_dir());
  replace("@BROKER@", broker_.url());
  const Status status = write_whole_file(config_path(), config_);
  WEIR_ASSERT(status.ok());
}

bool TestGateway::start() { return start_broker() && start_clients() && start_agent(); }

bool TestGateway::start_broker() { return broker_.start().ok(); }

bool TestGateway::start_clients() {
  sensor_ = std::make_unique<MqttTestPublisher>(MqttClientOptions{.port = broker_.port()});
  results_ = std::make_unique<MqttSubscriber>(
      MqttClientOptions{.port = broker_.port(), .client_id = "test-listener", .persistent = true});
  return sensor_->connect().ok() && results_->connect().ok() && results_->subscribe(filter_).ok();
}

bool TestGateway::start_agent() {
  write_config();
  if (!agent_.start_ready().ok() || !agent_.wait_connected()) return false;
  const ObservedAgent agent = status();
  return std::ranges::all_of(agent.pipelines, [&](const ObservedPipeline& pipeline) {
    return broker_.wait_for_subscription(agent.name + "-" + pipeline.name);
  });
}

bool TestGateway::stop_agent() {
  const std::optional<ProcessEnd> end = agent_.terminate();
  return end && end->exit_code == 0;
}

bool TestGateway::publish(std::string_view topic, std::string_view payload, int qos, bool retain) {
  return sensor_->publish(topic, payload, qos, retain).ok();
}

bool TestGateway::wait_received(uint64_t count, int64_t deadline_ms) {
  if (!sensor_->drain(deadline_ms)) return false;
  const auto taken = [count](const ObservedAgent& agent) {
    uint64_t received = 0;
    uint64_t unacknowledged = 0;
    for (const ObservedPipeline& pipeline : agent.pipelines) {
      received += pipeline.ledger.received - pipeline.ledger.duplicate;
      unacknowledged += pipeline.source.unacknowledged;
    }
    return received >= count && unacknowledged == 0;
  };
  return taken(agent_.wait_for(taken, deadline_ms));
}

ProcessResult TestGateway::weir(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), agent_program());
  return run_process(arguments);
}

ObservedAgent TestGateway::status() const {
  const Result<ObservedAgent> status = agent_.status();
  return status.ok() ? status.value() : ObservedAgent();
}

ObservedPipeline TestGateway::pipeline(std::string_view name) const {
  const ObservedAgent agent = status();
  if (!name.empty()) return agent.pipeline(name);
  return agent.pipelines.empty() ? ObservedPipeline() : agent.pipelines.front();
}

}  // namespace weir
