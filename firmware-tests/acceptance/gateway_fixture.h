// What acceptance tests share: one gateway per test, the usual pipeline, and the agent's log when a test has failed.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "firmware-tests/support/files.h"
#include "firmware-tests/support/json_values.h"
#include "firmware-tests/support/test_gateway.h"
#include "firmware-tests/support/wait.h"

#include <CppUTest/TestHarness.h>

namespace weir {

/// Devices report `value` at `ts`; a second of event time makes a window per device; results go to results/DEVICE.
/// Checkpoints follow each other quickly, so that no test waits for one.
constexpr const char* per_second_config = R"toml(
[agent]
name = "box"
state_dir = "@STATE@"

[mqtt.local]
url = "@BROKER@"

[[pipeline]]
name = "per-second"
checkpoint = { interval = "30ms", min_pause = "1ms" }

  [pipeline.source]
  mqtt = "local"
  topics = ["sensors/+/env"]
  format = "json"
  fields = { device = "topic[1]", value = "float", ts = "time(ms)" }
  event_time = { field = "ts", max_delay = "500ms" }

  [[pipeline.step]]
  filter = "value > -1000"

  [[pipeline.step]]
  id = "windows"
  key_by = ["device"]
  window = { tumbling = "1s" }
  aggregate = { n = "count()", total = "sum(value)", low = "min(value)", high = "max(value)", mean = "avg(value)" }

  [pipeline.sink]
  mqtt = "local"
  topic = "results/{device}"
  format = "json"
)toml";

/// The tables before the pipelines; `more`: lines of [agent].
inline std::string agent_table(const std::string& more = "") {
  return "[agent]\nname = \"box\"\nstate_dir = \"@STATE@\"\n" + more + "[mqtt.local]\nurl = \"@BROKER@\"\n";
}

constexpr int64_t event_base_ms = 1'700'000'000'000;

class GatewayTest : public Utest {
 public:
  std::unique_ptr<TestGateway> gateway;

  void prepare(const std::string& config = per_second_config) { gateway = std::make_unique<TestGateway>(config); }
  void start(const std::string& config = per_second_config) {
    prepare(config);
    CHECK_TRUE_TEXT(gateway->start(), "the gateway did not come up");
  }
  /// Everything is up but the broker, which has been.
  void start_without_broker() {
    prepare();
    CHECK_TRUE(gateway->start_broker());
    CHECK_TRUE(gateway->start_clients());
    CHECK_TRUE(gateway->broker().stop().ok());
    gateway->write_config();
    CHECK_TRUE(gateway->agent().start_ready().ok());
  }
  /// One reading of a device, `at_ms` after the begin of event time.
  void measure(const std::string& device, double value, int64_t at_ms) {
    char payload[96];
    snprintf(payload, sizeof payload, "{\"value\":%.17g,\"ts\":%lld}", value, static_cast<long long>(event_base_ms + at_ms));
    CHECK_TRUE(gateway->publish("sensors/" + device + "/env", payload));
  }
  /// Whether the agent that runs now logs this.
  bool says(const std::string& text, int64_t deadline_ms = 20'000) {
    return eventually(deadline_ms, [&] { return gateway->agent().log().find(text) != std::string::npos; });
  }
  void crash_and_restart() {
    gateway->crash();
    CHECK_TRUE(gateway->start_agent());
  }

  void teardown() override {
    if (gateway != nullptr && UtestShell::getCurrent()->hasFailed()) {
      printf("\n--- the agent's log\n%s--- the broker's log\n%s---\n", gateway->agent().log().c_str(),
             gateway->broker().log().c_str());
    }
    gateway.reset();
  }
};

}  // namespace weir
