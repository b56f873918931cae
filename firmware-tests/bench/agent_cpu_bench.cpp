// CPU per message and resident memory of the whole agent next to a plain subscriber, on the same stream in the same run:
// `mosquitto_sub > /dev/null` where it is installed, else a bare libmosquitto client that does nothing. The agent filters and
// keeps a 1 s window for each of 100 devices, exactly once, with the default checkpoints. Both receive at QoS 1, MQTT 5,
// payloads of 105 bytes; what floods is published at QoS 0 and raised by the broker, so that the publisher is not the limit.
// One line per case and program: rate, CPU per message, resident memory, ratio to the subscriber.
#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "firmware-tests/support/agent_process.h"
#include "firmware-tests/support/broker.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/mqtt_test_client.h"
#include "firmware-tests/support/wait.h"

using namespace weir;

namespace {

constexpr size_t devices = 100;
constexpr size_t payload_bytes = 105;
constexpr const char* bare_subscriber = "--bare-subscriber";

constexpr const char* config = R"toml(
[agent]
name = "bench"
state_dir = "@STATE@"

[mqtt.local]
url = "@BROKER@"

[[pipeline]]
name = "load"

  [pipeline.source]
  mqtt = "local"
  topics = ["sensors/+/env"]
  fields = { device = "topic[1]", temperature = "float", ts = "time(ms)" }
  event_time = { field = "ts", max_delay = "500ms" }

  [[pipeline.step]]
  filter = "temperature between -40 and 125"

  [[pipeline.step]]
  id = "windows"
  key_by = ["device"]
  window = { tumbling = "1s" }
  aggregate = { mean = "avg(temperature)", high = "max(temperature)", n = "count()" }

  [pipeline.sink]
  mqtt = "local"
  topic = "bench-results/{device}"
)toml";

/// What the library's own loop costs when the callback does nothing: the least that any subscriber of this library needs.
int run_bare_subscriber(uint16_t port) {
  mosquitto_lib_init();
  mosquitto* client = mosquitto_new("bare", true, nullptr);
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, 1000);
  mosquitto_connect_callback_set(client,
                                 [](mosquitto* self, void*, int) { mosquitto_subscribe(self, nullptr, "sensors/+/env", 1); });
  if (mosquitto_connect(client, "127.0.0.1", port, 60) != MOSQ_ERR_SUCCESS) return 1;
  return mosquitto_loop_forever(client, -1, 1);
}

struct Subject {
  const char* name;
  pid_t pid = 0;
  int64_t cpu_us_before = 0;
  double cpu_us_per_message = 0;
  int64_t rss_bytes = 0;
};

class Bench {
 public:
  bool start(const char* self);
  void run(const char* name, uint64_t rate, uint64_t messages);

 private:
  bool start_subscriber(const char* name, std::vector<std::string> arguments);
  bool publish(uint64_t rate, uint64_t messages);
  void wait_until_quiet();
  uint64_t received() const;

  TemporaryDirectory directory_{"weir-bench"};
  Broker broker_;
  AgentProcess agent_{{.program = WEIR_AGENT,
                       .configs = {directory_.file("bench.toml")},
                       .state_dir = directory_.file("state"),
                       .log_path = directory_.file("agent.log")}};
  Process subscriber_;
  std::unique_ptr<MqttTestPublisher> publisher_;
  std::vector<Subject> subjects_;
  uint64_t number_ = 0;
};

bool Bench::start_subscriber(const char* name, std::vector<std::string> arguments) {
  if (!subscriber_.start({.arguments = std::move(arguments)}).ok()) return false;
  sleep_ms(300);
  if (!subscriber_.running()) return false;
  subjects_.push_back({.name = name, .pid = subscriber_.pid()});
  return true;
}

bool Bench::start(const char* self) {
  // It rewrites its whole queue every 500 changes, which is all that a flooded broker would then do.
  broker_.set("autosave_on_changes false");
  if (!broker_.start().ok()) return false;
  std::string text = config;
  text.replace(text.find("@STATE@"), strlen("@STATE@"), directory_.file("state"));
  text.replace(text.find("@BROKER@"), strlen("@BROKER@"), broker_.url());
  if (!write_whole_file(directory_.file("bench.toml"), text).ok()) return false;
  publisher_ = std::make_unique<MqttTestPublisher>(MqttClientOptions{.port = broker_.port(), .in_flight_max = 400});
  if (!publisher_->connect().ok() || !agent_.start_ready().ok() || !broker_.wait_for_subscription("bench-load")) {
    printf("the agent did not come up:\n%s", agent_.log().c_str());
    return false;
  }
  subjects_.push_back({.name = "weir", .pid = agent_.pid()});
  const std::string port = std::to_string(broker_.port());
  if (start_subscriber("mosquitto_sub", {"mosquitto_sub", "-V", "5", "-q", "1", "-p", port, "-t", "sensors/+/env"}))
    return true;
  printf("mosquitto_sub is not installed (package mosquitto-clients): compared with a bare libmosquitto client\n");
  return start_subscriber("bare client", {self, bare_subscriber, port});
}

bool Bench::publish(uint64_t rate, uint64_t messages) {
  const int64_t start_us = monotonic_us();
  for (uint64_t sent = 0; sent < messages;) {
    const uint64_t due = rate == 0 ? messages : static_cast<uint64_t>(monotonic_us() - start_us) * rate / 1'000'000;
    if (sent >= due) {
      sleep_ms(1);
      continue;
    }
    char payload[payload_bytes + 1];
    const int head = snprintf(payload, sizeof payload, "{\"temperature\":%.2f,\"ts\":%" PRIu64 ",\"n\":%" PRIu64 ",\"note\":\"",
                              20 + static_cast<double>(number_ % 1000) / 100, 1'700'000'000'000 + number_ / 10, number_);
    memset(payload + head, 'x', payload_bytes - static_cast<size_t>(head));
    memcpy(payload + payload_bytes - 2, "\"}", 2);
    const std::string topic = "sensors/device-" + std::to_string(100 + number_ % devices) + "/env";
    if (!publisher_->publish(topic, {payload, payload_bytes}, rate == 0 ? 0 : 1).ok()) return false;
    ++sent;
    ++number_;
  }
  return publisher_->drain();
}

uint64_t Bench::received() const {
  const Result<ObservedAgent> status = agent_.status();
  return status.ok() && !status.value().pipelines.empty() ? status.value().pipelines.front().ledger.received : 0;
}

/// Until the agent has everything and no subscriber uses the processor any more.
void Bench::wait_until_quiet() {
  eventually(
      60'000, [this] { return received() >= number_; }, 50);
  for (const Subject& subject : subjects_) {
    int64_t last_us = -1;
    eventually(
        30'000,
        [&] {
          const auto usage = process_usage(subject.pid);
          const bool quiet = !usage || usage->cpu_us - last_us < 2000;
          last_us = usage ? usage->cpu_us : 0;
          return quiet;
        },
        200);
  }
}

void Bench::run(const char* name, uint64_t rate, uint64_t messages) {
  for (Subject& subject : subjects_) {
    const auto usage = process_usage(subject.pid);
    subject.cpu_us_before = usage ? usage->cpu_us : 0;
  }
  const int64_t start_us = monotonic_us();
  if (!publish(rate, messages)) {
    printf("the broker did not take the messages\n");
    return;
  }
  eventually(
      60'000, [this] { return received() >= number_; }, 1);
  const double seconds = static_cast<double>(monotonic_us() - start_us) / 1e6;
  wait_until_quiet();
  for (Subject& subject : subjects_) {
    const auto usage = process_usage(subject.pid);
    if (!usage) continue;
    subject.cpu_us_per_message = static_cast<double>(usage->cpu_us - subject.cpu_us_before) / static_cast<double>(messages);
    subject.rss_bytes = usage->rss_bytes;
  }
  for (size_t index = 0; index < subjects_.size(); ++index) {
    const Subject& subject = subjects_[index];
    printf("%-10s %-14s %8.0f msg/s  %6.2f us CPU/msg  %5.1f MiB", name, subject.name, static_cast<double>(messages) / seconds,
           subject.cpu_us_per_message, static_cast<double>(subject.rss_bytes) / (1 << 20));
    if (index > 0) printf("  weir takes %.2f times as much", subjects_[0].cpu_us_per_message / subject.cpu_us_per_message);
    printf("\n");
  }
  fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 3 && strcmp(arguments[1], bare_subscriber) == 0)
    return run_bare_subscriber(static_cast<uint16_t>(atoi(arguments[2])));
  Bench bench;
  if (!bench.start(arguments[0])) return 1;
  bench.run("warm-up", 10'000, 20'000);
  bench.run("1k/s", 1'000, 5'000);
  bench.run("10k/s", 10'000, 60'000);
  bench.run("flooded", 0, 150'000);
  return 0;
}
