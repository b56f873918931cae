// TestGateway: a gateway in a box. A private broker, an agent with a configuration of the test's, a sensor that publishes and
// a listener that collects results, all in one temporary directory. In the configuration @STATE@ stands for the state
// directory, @BROKER@ for the broker's url. Functions that return bool say whether the box did it within its deadline.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "firmware-tests/support/agent_process.h"
#include "firmware-tests/support/broker.h"
#include "firmware-tests/support/mqtt_test_client.h"
#include "firmware-tests/support/temporary_directory.h"

namespace weir {

class TestGateway {
 public:
  explicit TestGateway(std::string config, std::string program = agent_program());

  /// Broker, clients, agent: everything up, subscribed and connected.
  bool start();
  bool start_broker();
  bool start_clients();
  /// Waits until its sources are connected and subscribed.
  bool start_agent();
  void write_config();

  /// SIGKILL.
  void crash() { agent_.kill9(); }
  /// SIGTERM; true if it then ended with exit code 0.
  bool stop_agent();

  bool publish(std::string_view topic, std::string_view payload, int qos = 1, bool retain = false);
  /// Until the agent has taken `count` messages, redeliveries not counted, and a checkpoint covers them all.
  bool wait_received(uint64_t count, int64_t deadline_ms = 20'000);
  /// Until so many different results have come; an agent may repeat some after a crash.
  bool wait_results(size_t count, int64_t deadline_ms = 20'000) { return results_->wait_for_distinct(count, deadline_ms); }
  std::vector<ReceivedMessage> results() { return results_->messages(); }

  /// Runs the agent's binary with these arguments to its end.
  ProcessResult weir(std::vector<std::string> arguments) const;

  ObservedAgent status() const;
  /// The first pipeline's status, or the named one's.
  ObservedPipeline pipeline(std::string_view name = {}) const;

  /// Where results go, unless a test says otherwise before start_clients().
  void listen_to(std::string filter) { filter_ = std::move(filter); }
  /// For more placeholders than the two: replaces every `name` in the configuration.
  void replace(std::string_view name, std::string_view value);

  AgentProcess& agent() { return agent_; }
  Broker& broker() { return broker_; }
  MqttTestPublisher& sensor() { return *sensor_; }
  MqttSubscriber& listener() { return *results_; }
  const TemporaryDirectory& directory() const { return directory_; }
  std::string state_dir() const { return directory_.file("state"); }
  std::string config_path() const { return directory_.file("weir.toml"); }

 private:
  TemporaryDirectory directory_{"weir-gateway"};
  std::string config_;
  std::string filter_ = "results/#";
  Broker broker_;
  AgentProcess agent_;
  std::unique_ptr<MqttTestPublisher> sensor_;
  std::unique_ptr<MqttSubscriber> results_;
};

}  // namespace weir
