// How long an agent takes to be there: from its start, fresh and with the state of 1,000 keys; and from a kill -9 to ready, to
// connected, and to the first new result. One line per case: median, least and most of several rounds, in milliseconds.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <vector>

#include "firmware-tests/support/test_gateway.h"
#include "firmware-tests/support/wait.h"

using namespace weir;

namespace {

constexpr int rounds = 11;
constexpr int keys = 1000;
constexpr int64_t hour_ms = 3600'000;
constexpr int first_hour = 470'000;

constexpr const char* config = R"toml(
[agent]
name = "bench"
state_dir = "@STATE@"

[mqtt.local]
url = "@BROKER@"

[[pipeline]]
name = "load"
checkpoint = { interval = "50ms", min_pause = "1ms" }

  [pipeline.source]
  mqtt = "local"
  topics = ["sensors/+/env"]
  fields = { device = "topic[1]", value = "float", ts = "time(ms)" }
  event_time = { field = "ts" }

  [[pipeline.step]]
  id = "windows"
  key_by = ["device"]
  window = { tumbling = "1h" }
  aggregate = { mean = "avg(value)", high = "max(value)", n = "count()" }
  max_keys = 4000

  [pipeline.sink]
  mqtt = "local"
  topic = "results/{device}"
)toml";

class Times {
 public:
  explicit Times(const char* name) : name_(name) {}
  void add(int64_t us) { us_.push_back(us); }
  void print() {
    if (us_.empty()) return;
    std::sort(us_.begin(), us_.end());
    printf("%-52s median %7.1f ms   least %7.1f   most %7.1f\n", name_, ms(us_[us_.size() / 2]), ms(us_.front()),
           ms(us_.back()));
  }

 private:
  static double ms(int64_t us) { return static_cast<double>(us) / 1000; }
  const char* name_;
  std::vector<int64_t> us_;
};

class Bench {
 public:
  bool run();

 private:
  bool measure_fresh_start();
  bool measure_kill(TestGateway& gateway, int hour);
  static bool fill(TestGateway& gateway, int hour);

  Times fresh_ready_{"start, no state: to ready"};
  Times fresh_connected_{"start, no state: to connected"};
  Times kill_ready_{"kill -9, 1000 keys: to ready"};
  Times kill_connected_{"kill -9, 1000 keys: to connected"};
  Times kill_result_{"kill -9, 1000 keys: to the first new result"};
  Times open_{"  of that, as the agent says: opening the database"};
  Times restore_{"  of that, as the agent says: restoring the state"};
};

bool wait_started(AgentProcess& agent, int64_t start_us, Times& ready, Times& connected) {
  if (!agent.start().ok() || !agent.wait_ready()) return false;
  ready.add(monotonic_us() - start_us);
  if (!agent.wait_connected()) return false;
  connected.add(monotonic_us() - start_us);
  return true;
}

bool Bench::measure_fresh_start() {
  TestGateway gateway(config);
  if (!gateway.start_broker()) return false;
  gateway.write_config();
  return wait_started(gateway.agent(), monotonic_us(), fresh_ready_, fresh_connected_);
}

/// A window of `hour` is open for each key.
bool Bench::fill(TestGateway& gateway, int hour) {
  const std::string payload = "{\"value\":1,\"ts\":" + std::to_string(int64_t{hour} * hour_ms) + "}";
  for (int key = 0; key < keys; ++key) {
    if (!gateway.publish("sensors/d" + std::to_string(key) + "/env", payload)) return false;
  }
  return gateway.wait_received(gateway.sensor().sent());
}

bool Bench::measure_kill(TestGateway& gateway, int hour) {
  if (!fill(gateway, hour)) return false;
  // The broker keeps this one until the agent is back; it closes the windows of the hour.
  gateway.crash();
  const int64_t start_us = monotonic_us();
  const size_t results = gateway.listener().distinct();
  if (!gateway.publish("sensors/d0/env", "{\"value\":1,\"ts\":" + std::to_string((int64_t{hour} + 1) * hour_ms) + "}"))
    return false;
  if (!wait_started(gateway.agent(), start_us, kill_ready_, kill_connected_)) return false;
  if (!gateway.wait_results(results + 1)) return false;
  kill_result_.add(monotonic_us() - start_us);
  const ObservedPipeline pipeline = gateway.pipeline();
  open_.add(static_cast<int64_t>(pipeline.recovery.open_ms * 1000));
  restore_.add(static_cast<int64_t>(pipeline.recovery.restore_ms * 1000));
  return gateway.wait_results(results + keys);
}

bool Bench::run() {
  for (int round = 0; round < rounds; ++round) {
    if (!measure_fresh_start()) return false;
  }
  TestGateway gateway(config);
  if (!gateway.start()) return false;
  for (int round = 0; round < rounds; ++round) {
    if (!measure_kill(gateway, first_hour + round)) return false;
  }
  for (Times* times : {&fresh_ready_, &fresh_connected_, &kill_ready_, &kill_connected_, &kill_result_, &open_, &restore_}) {
    times->print();
  }
  return true;
}

}  // namespace

int main() {
  if (Bench().run()) return 0;
  printf("the measurement failed\n");
  return 1;
}
