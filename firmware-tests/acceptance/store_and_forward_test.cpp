// Results wait in the outbox while their broker is away, and leave when it returns, without any new input.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <set>

namespace {

using namespace weir;

/// The source reads from the gateway's broker; results go to a second one, which comes and goes.
class StoreAndForwardTest : public GatewayTest {
 public:
  static constexpr int windows = 50;
  Broker far;
  std::unique_ptr<MqttSubscriber> listener;

  void start_two_brokers() {
    CHECK_TRUE(far.start().ok());
    listener = std::make_unique<MqttSubscriber>(
        MqttClientOptions{.port = far.port(), .client_id = "far-listener", .persistent = true});
    CHECK_TRUE(listener->connect().ok());
    CHECK_TRUE(listener->subscribe("results/#").ok());
    prepare();
    gateway->replace("[[pipeline]]", "[mqtt.far]\nurl = \"" + far.url() + "\"\n\n[[pipeline]]");
    gateway->replace("[pipeline.sink]\n  mqtt = \"local\"", "[pipeline.sink]\n  mqtt = \"far\"");
    CHECK_TRUE(gateway->start());
  }
  void close_far_windows(int from, int to) {
    for (int second = from; second < to; ++second) measure("d", second, second * 1000);
    measure("d", 0, to * 1000 + 5000);
  }
  void check_all_arrived_once() {
    CHECK_TRUE(listener->wait_for_distinct(windows, 30'000));
    const auto empty = [](const ObservedAgent& agent) { return agent.pipelines.front().outbox.bytes == 0; };
    CHECK_TRUE(empty(gateway->agent().wait_for(empty)));
    std::set<std::string> ids;
    for (const ReceivedMessage& result : listener->messages()) ids.insert(result.weir_id);
    UNSIGNED_LONGS_EQUAL(windows, ids.size());
    UNSIGNED_LONGS_EQUAL(windows, listener->count());
  }
  void teardown() override {
    listener.reset();
    GatewayTest::teardown();
  }
};

TEST_GROUP_BASE(StoreAndForward, StoreAndForwardTest){};

TEST(StoreAndForward, results_leave_when_their_broker_returns_without_new_input) {
  start_two_brokers();
  CHECK_TRUE(far.stop().ok());
  close_far_windows(0, windows);
  CHECK_TRUE(gateway->wait_received(windows + 1));
  const ObservedPipeline waiting = gateway->pipeline();
  UNSIGNED_LONGS_EQUAL(windows, waiting.ledger.results);
  CHECK_TRUE(waiting.outbox.bytes > 0);
  CHECK_FALSE(waiting.sink.connected);
  CHECK_TRUE(waiting.checkpoint.completed > 0);
  CHECK_TRUE(far.start().ok());
  check_all_arrived_once();
  UNSIGNED_LONGS_EQUAL(windows + 1, gateway->pipeline().ledger.received);
}

TEST(StoreAndForward, results_that_wait_survive_a_crash) {
  start_two_brokers();
  CHECK_TRUE(far.stop().ok());
  close_far_windows(0, windows);
  CHECK_TRUE(gateway->wait_received(windows + 1));
  gateway->crash();
  CHECK_TRUE(gateway->start_agent());
  CHECK_TRUE(gateway->pipeline().outbox.bytes > 0);
  CHECK_TRUE(far.start().ok());
  check_all_arrived_once();
}

TEST(StoreAndForward, the_order_of_results_is_kept) {
  start_two_brokers();
  CHECK_TRUE(far.stop().ok());
  close_far_windows(0, windows);
  CHECK_TRUE(gateway->wait_received(windows + 1));
  CHECK_TRUE(far.start().ok());
  CHECK_TRUE(listener->wait_for_distinct(windows, 30'000));
  int64_t last_ms = 0;
  for (const ReceivedMessage& result : listener->messages()) {
    const int64_t start_ms = json_int(result.payload, "window_start").value_or(0);
    CHECK_TRUE(start_ms > last_ms);
    last_ms = start_ms;
  }
}

TEST(StoreAndForward, a_full_outbox_holds_the_input_back_and_loses_nothing) {
  start_two_brokers();
  CHECK_TRUE(gateway->stop_agent());
  gateway->replace("topic = \"results/{device}\"",
                   "topic = \"results/{device}\"\n  outbox = { memory = \"32KiB\", max_bytes = \"32KiB\" }");
  CHECK_TRUE(gateway->start_agent());
  CHECK_TRUE(far.stop().ok());
  // Far more results than 32 KiB hold.
  constexpr int many = 1000;
  for (int second = 0; second < many; ++second) measure("d", second, second * 1000);
  measure("d", 0, many * 1000 + 5000);
  gateway->sensor().drain();
  const auto blocked = [](const ObservedAgent& agent) {
    const ObservedPipeline& pipeline = agent.pipelines.front();
    return pipeline.outbox.bytes > 0 && pipeline.source.unacknowledged == 0 && pipeline.ledger.received < many &&
           agent.uptime_ms > 1500;
  };
  CHECK_TRUE(blocked(gateway->agent().wait_for(blocked)));
  sleep_ms(500);
  CHECK_TRUE(gateway->pipeline().ledger.received < many);
  CHECK_TRUE(far.start().ok());
  CHECK_TRUE(listener->wait_for_distinct(many, 60'000));
  std::set<std::string> ids;
  for (const ReceivedMessage& result : listener->messages()) ids.insert(result.weir_id);
  UNSIGNED_LONGS_EQUAL(many, ids.size());
}

}  // namespace
