// The shipped example, word for word, from sensors to alerts.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <csignal>

namespace {

using namespace weir;

class OverheatTest : public GatewayTest {
 public:
  void start_overheat() {
    prepare("");
    gateway->listen_to("alerts/#");
    CHECK_TRUE(gateway->start_broker());
    CHECK_TRUE(gateway->start_clients());
    AgentOptions& options = gateway->agent().options();
    options.configs = {WEIR_SOURCE_DIR "/configs/overheat.toml"};
    options.settings = {"agent.state_dir=" + gateway->state_dir(), "mqtt.local.url=" + gateway->broker().url()};
    CHECK_TRUE(gateway->agent().start_ready().ok());
    CHECK_TRUE(gateway->agent().wait_connected());
    CHECK_TRUE(gateway->broker().wait_for_subscription("gw-17-overheat"));
  }
  void report(const char* device, double temperature, int64_t at_ms) {
    char payload[96];
    snprintf(payload, sizeof payload, "{\"temperature\":%g,\"ts\":%lld}", temperature,
             static_cast<long long>(1'700'000'040'000 + at_ms));
    CHECK_TRUE(gateway->publish(std::string("sensors/") + device + "/env", payload));
  }
  /// The example takes a checkpoint every five seconds; a signal asks for one now.
  void wait_applied(uint64_t received) {
    const auto arrived = [received](const ObservedAgent& agent) { return agent.pipelines.front().ledger.received >= received; };
    CHECK_TRUE(arrived(gateway->agent().wait_for(arrived)));
    gateway->agent().process().signal(SIGUSR1);
  }
};

TEST_GROUP_BASE(Overheat, OverheatTest){};

TEST(Overheat, raises_an_alert_for_the_hot_minute_of_the_hot_device_only) {
  start_overheat();
  report("boiler", 79, 0);
  report("boiler", 81.5, 30'000);
  report("boiler", 126, 31'000);  // out of the sensor's range: filtered
  report("cellar", 12, 10'000);
  report("boiler", 20, 60'000);
  report("cellar", 12, 63'000);
  report("attic", 85, 70'000);
  wait_applied(7);
  CHECK_TRUE(gateway->wait_results(1));
  const std::vector<ReceivedMessage> alerts = gateway->results();
  UNSIGNED_LONGS_EQUAL(1, alerts.size());
  STRCMP_EQUAL("alerts/boiler", alerts[0].topic.c_str());
  DOUBLES_EQUAL(80.25, json_number(alerts[0].payload, "avg_t").value_or(0), 1e-9);
  DOUBLES_EQUAL(81.5, json_number(alerts[0].payload, "max_t").value_or(0), 0);
  LONGS_EQUAL(2, json_int(alerts[0].payload, "n").value_or(0));
  STRCMP_EQUAL("boiler", json_text(alerts[0].payload, "device").value_or("").c_str());
  CHECK_TRUE(json_int(alerts[0].payload, "window_start") == 1'700'000'040'000);
  CHECK_TRUE(json_int(alerts[0].payload, "window_end") == 1'700'000'100'000);
  UNSIGNED_LONGS_EQUAL(32, alerts[0].weir_id.size());
  const ObservedPipeline pipeline = gateway->pipeline("overheat");
  UNSIGNED_LONGS_EQUAL(7, pipeline.ledger.received);
  UNSIGNED_LONGS_EQUAL(6, pipeline.ledger.applied);
  UNSIGNED_LONGS_EQUAL(1, pipeline.ledger.filtered);
  LONGS_EQUAL(0, pipeline.imbalance);
}

TEST(Overheat, books_late_and_broken_messages_where_they_belong) {
  start_overheat();
  report("boiler", 20, 0);
  report("boiler", 20, 122'000);  // two minutes on: the first minute has closed
  report("boiler", 20, 1'000);
  CHECK_TRUE(gateway->publish("sensors/boiler/env", "{\"temperature\":\"warm\",\"ts\":1700000040000}"));
  CHECK_TRUE(gateway->publish("sensors/boiler/env", "{"));
  wait_applied(5);
  const ObservedPipeline pipeline = gateway->pipeline("overheat");
  UNSIGNED_LONGS_EQUAL(2, pipeline.ledger.applied);
  UNSIGNED_LONGS_EQUAL(1, pipeline.ledger.late);
  UNSIGNED_LONGS_EQUAL(2, pipeline.ledger.dead_lettered);
  LONGS_EQUAL(0, pipeline.imbalance);
}

TEST(Overheat, fits_into_the_memory_it_promises) {
  start_overheat();
  const ObservedAgent agent = gateway->status();
  UNSIGNED_LONGS_EQUAL(8 << 20, agent.memory.limit);
  CHECK_TRUE(agent.memory.reserved <= agent.memory.limit);
}

}  // namespace
