// A broker that is absent, comes back, has forgotten its sessions, or gives them to somebody else: counted and shown, and never
// the end of the agent.
#include "firmware-tests/acceptance/gateway_fixture.h"

namespace {

using namespace weir;

class BrokerTroubleTest : public GatewayTest {
 public:
  const char* client_id = "box-per-second";

  ObservedPipeline wait_for(FunctionRef<bool(const ObservedPipeline&)> condition, int64_t deadline_ms = 20'000) {
    const auto of_agent = [&](const ObservedAgent& agent) {
      return !agent.pipelines.empty() && condition(agent.pipelines.front());
    };
    const ObservedAgent agent = gateway->agent().wait_for(of_agent, deadline_ms);
    CHECK_TRUE(of_agent(agent));
    return agent.pipelines.empty() ? ObservedPipeline() : agent.pipelines.front();
  }
  void wait_connected_both() {
    wait_for([](const ObservedPipeline& pipeline) { return pipeline.source.connected && pipeline.sink.connected; });
  }
  /// Some brokers say so, others just close the connection.
  static uint64_t takeovers(const ObservedLink& link) { return link.takeovers + link.closed_early; }
  std::string status_text() { return gateway->weir({"status", gateway->config_path()}).output; }
  /// Messages still come through.
  void works(int64_t at_ms, uint64_t received) {
    measure("d", 1, at_ms);
    CHECK_TRUE(gateway->wait_received(received));
  }
};

TEST_GROUP_BASE(BrokerTrouble, BrokerTroubleTest){};

TEST(BrokerTrouble, tries_to_reach_an_absent_broker_are_counted_and_shown_until_it_comes) {
  start_without_broker();
  const ObservedPipeline waiting = wait_for([](const ObservedPipeline& pipeline) {
    return pipeline.source.link.failed_attempts >= 2 && pipeline.sink.link.failed_attempts >= 2 &&
           pipeline.source.link.next_try_ms > 500;
  });
  UNSIGNED_LONGS_EQUAL(0, waiting.source.connects);
  CHECK_TRUE(waiting.source.link.since_ms > 1000);
  const std::string text = status_text();
  STRCMP_CONTAINS("not connected", text.c_str());
  STRCMP_CONTAINS("next try in", text.c_str());
  STRCMP_CONTAINS("tries to connect failed", text.c_str());
  CHECK_TRUE(gateway->broker().start().ok());
  CHECK_TRUE(gateway->agent().wait_connected(15'000));
  CHECK_TRUE(gateway->broker().wait_for_subscription(client_id));
  works(0, 1);
  LONGS_EQUAL(-1, gateway->pipeline().source.link.next_try_ms);
}

TEST(BrokerTrouble, a_broker_that_forgets_its_sessions_is_a_known_gap_and_the_stream_goes_on) {
  prepare();
  gateway->broker().set("persistence false");
  CHECK_TRUE(gateway->start());
  works(0, 1);
  gateway->broker().kill9();
  CHECK_TRUE(gateway->broker().start().ok());
  wait_for([](const ObservedPipeline& pipeline) { return pipeline.source.connected && pipeline.ledger.session_lost == 1; });
  wait_connected_both();
  // Subscribed only when the emptied session tail is durable.
  CHECK_TRUE(eventually(10'000, [&] {
    measure("probe", 1, 0);
    return gateway->pipeline().ledger.received > 1;
  }));
  STRCMP_CONTAINS("1 times the broker had forgotten the session", status_text().c_str());
  const ObservedPipeline pipeline = gateway->pipeline();
  UNSIGNED_LONGS_EQUAL(1, pipeline.source.link.lost);
  UNSIGNED_LONGS_EQUAL(1, pipeline.sink.link.lost);
  LONGS_EQUAL(0, pipeline.imbalance);
  // The gap is part of the account, which a crash keeps.
  CHECK_TRUE(gateway->wait_received(pipeline.ledger.received));
  crash_and_restart();
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline().ledger.session_lost);
}

TEST(BrokerTrouble, a_killed_broker_that_had_saved_its_sessions_leaves_no_gap) {
  prepare();
  gateway->broker().set("autosave_on_changes true");
  gateway->broker().set("autosave_interval 1");
  CHECK_TRUE(gateway->start());
  works(0, 1);
  gateway->broker().kill9();
  CHECK_TRUE(gateway->broker().start().ok());
  const ObservedPipeline back =
      wait_for([](const ObservedPipeline& pipeline) { return pipeline.source.connected && pipeline.source.connects == 2; });
  UNSIGNED_LONGS_EQUAL(0, back.ledger.session_lost);
  works(100, back.ledger.received - back.ledger.duplicate + 1);
}

/// As rude as can be: it comes back 20 ms after each time that it was thrown out.
TEST(BrokerTrouble, two_clients_with_one_id_do_not_fight_at_full_speed) {
  start();
  wait_connected_both();
  {
    MqttSubscriber rival({.port = gateway->broker().port(), .client_id = client_id, .persistent = true});
    CHECK_TRUE(rival.connect().ok());
    // Waits of 0.1 to 0.3 s, 1, 2 and 4 s, a fifth less or more; without the first if it was thrown out in its first second.
    const ObservedPipeline third =
        wait_for([](const ObservedPipeline& pipeline) { return takeovers(pipeline.source.link) == 3; });
    CHECK_FALSE(third.source.connected);
    CHECK_TRUE(third.source.link.next_try_ms > 1000);
    sleep_ms(1000);
    UNSIGNED_LONGS_EQUAL(3, takeovers(gateway->pipeline().source.link));
    STRCMP_CONTAINS("another client", status_text().c_str());
    CHECK_TRUE(says("does another gateway use this client id?"));
    // The pipeline's other connection has an id of its own.
    UNSIGNED_LONGS_EQUAL(0, gateway->pipeline().sink.link.lost);
    rival.stop();
  }
  CHECK_TRUE(gateway->agent().wait_connected(15'000));
  works(0, gateway->pipeline().ledger.received + 1);
  LONGS_EQUAL(0, gateway->pipeline().imbalance);
}

TEST(BrokerTrouble, a_takeover_of_the_sinks_connection_holds_up_no_input_and_loses_no_result) {
  start();
  wait_connected_both();
  CHECK_TRUE(take_over_session(gateway->broker().port(), "box-per-second-out").ok());
  for (int second = 0; second < 5; ++second) measure("d", second, second * 1000);
  measure("d", 1, 20'000);
  CHECK_TRUE(gateway->wait_results(5));
  const ObservedPipeline pipeline = gateway->pipeline();
  UNSIGNED_LONGS_EQUAL(1, takeovers(pipeline.sink.link));
  UNSIGNED_LONGS_EQUAL(0, pipeline.source.link.lost);
}

}  // namespace
