// Nothing that was acknowledged is lost or counted twice, whatever happens to the agent or the broker.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <map>
#include <set>

namespace {

using namespace weir;

class RecoveryTest : public GatewayTest {
 public:
  static constexpr int devices = 5;
  static constexpr int messages = 2000;

  /// Message `number` of a fixed stream: 100 messages per second of event time, in order.
  void publish_numbered(int from, int to) {
    for (int number = from; number < to; ++number) measure("d" + std::to_string(number % devices), number, number * 10);
  }
  void close_windows() { measure("closer", 0, messages * 10 + 10'000); }

  /// Every second of every device must have come once, with 20 messages in it; repeats must be equal in all.
  void check_results() {
    const size_t windows = size_t{devices} * messages / 100;
    CHECK_TRUE(gateway->wait_results(windows));
    std::map<std::pair<std::string, int64_t>, ReceivedMessage> seen;
    std::set<std::string> ids;
    for (const ReceivedMessage& result : gateway->results()) {
      const int64_t start_ms = json_int(result.payload, "window_start").value_or(0);
      const auto [first, is_new] = seen.try_emplace({result.topic, start_ms}, result);
      STRCMP_EQUAL(first->second.payload.c_str(), result.payload.c_str());
      STRCMP_EQUAL(first->second.weir_id.c_str(), result.weir_id.c_str());
      ids.insert(result.weir_id);
      LONGS_EQUAL_TEXT(20, json_int(result.payload, "n").value_or(-1), result.payload.c_str());
      LONGS_EQUAL(start_ms + 1000, json_int(result.payload, "window_end").value_or(0));
    }
    UNSIGNED_LONGS_EQUAL(windows, seen.size());
    UNSIGNED_LONGS_EQUAL(windows, ids.size());
    check_account(messages + 1);
  }
  void check_account(uint64_t published) {
    const ObservedPipeline pipeline = gateway->pipeline();
    LONGS_EQUAL(0, pipeline.imbalance);
    LONGS_EQUAL(0, pipeline.ledger.imbalance());
    UNSIGNED_LONGS_EQUAL(published, pipeline.ledger.applied);
    UNSIGNED_LONGS_EQUAL(0, pipeline.ledger.late);
    UNSIGNED_LONGS_EQUAL(0, pipeline.ledger.session_lost);
  }
};

TEST_GROUP_BASE(Recovery, RecoveryTest){};

TEST(Recovery, a_kill_in_the_middle_of_the_stream_changes_no_result) {
  start();
  publish_numbered(0, messages / 2);
  crash_and_restart();
  publish_numbered(messages / 2, messages);
  close_windows();
  check_results();
}

TEST(Recovery, messages_published_while_the_agent_is_down_are_counted) {
  start();
  publish_numbered(0, 300);
  gateway->crash();
  publish_numbered(300, messages);
  close_windows();
  CHECK_TRUE(gateway->start_agent());
  check_results();
}

TEST(Recovery, resumes_from_the_last_checkpoint_after_an_orderly_stop) {
  start();
  publish_numbered(0, messages / 2);
  CHECK_TRUE(gateway->wait_received(messages / 2));
  const uint64_t before = gateway->pipeline().checkpoint.last_id;
  CHECK_TRUE(gateway->stop_agent());
  CHECK_TRUE(gateway->start_agent());
  const ObservedPipeline resumed = gateway->pipeline();
  CHECK_TRUE(resumed.recovery.checkpoint_id >= before);
  UNSIGNED_LONGS_EQUAL(messages / 2, resumed.ledger.applied);
  publish_numbered(messages / 2, messages);
  close_windows();
  check_results();
  UNSIGNED_LONGS_EQUAL(0, gateway->pipeline().ledger.duplicate);
}

TEST(Recovery, a_stop_takes_a_last_checkpoint_of_what_the_timer_has_not_covered) {
  prepare();
  gateway->replace("interval = \"30ms\"", "interval = \"1h\"");
  CHECK_TRUE(gateway->start());
  publish_numbered(0, 100);
  gateway->sensor().drain();
  const auto taken = [](const ObservedAgent& agent) { return agent.pipelines.front().ledger.applied == 100; };
  CHECK_TRUE(taken(gateway->agent().wait_for(taken)));
  CHECK_TRUE(gateway->stop_agent());
  CHECK_TRUE(gateway->start_agent());
  UNSIGNED_LONGS_EQUAL(100, gateway->pipeline().ledger.applied);
  sleep_ms(200);
  // The acknowledgements had left: the broker has nothing to send again.
  UNSIGNED_LONGS_EQUAL(100, gateway->pipeline().ledger.received);
}

TEST(Recovery, a_session_taken_over_by_another_client_changes_no_result) {
  start();
  publish_numbered(0, messages / 2);
  CHECK_TRUE(take_over_session(gateway->broker().port(), "box-per-second").ok());
  publish_numbered(messages / 2, messages);
  close_windows();
  check_results();
  CHECK_TRUE(gateway->pipeline().source.connects >= 2);
}

TEST(Recovery, starts_without_a_broker_and_connects_when_it_comes) {
  start_without_broker();
  CHECK_FALSE(gateway->pipeline().source.connected);
  CHECK_TRUE(!gateway->pipeline().source.error.empty());
  CHECK_TRUE(gateway->broker().start().ok());
  CHECK_TRUE(gateway->agent().wait_connected(15'000));
  CHECK_TRUE(gateway->broker().wait_for_subscription("box-per-second"));
  publish_numbered(0, messages);
  close_windows();
  check_results();
}

TEST(Recovery, a_broker_that_restarts_in_the_middle_changes_no_result) {
  start();
  publish_numbered(0, messages / 2);
  CHECK_TRUE(gateway->wait_received(messages / 2));
  CHECK_TRUE(gateway->broker().stop().ok());
  CHECK_TRUE(gateway->broker().start().ok());
  publish_numbered(messages / 2, messages);
  close_windows();
  check_results();
}

TEST(Recovery, ids_of_checkpoints_only_grow) {
  start();
  uint64_t last = 0;
  for (int round = 0; round < 3; ++round) {
    publish_numbered(round * 100, round * 100 + 100);
    CHECK_TRUE(gateway->wait_received(static_cast<uint64_t>(round + 1) * 100));
    const uint64_t id = gateway->pipeline().checkpoint.last_id;
    CHECK_TRUE(id > last);
    last = id;
    crash_and_restart();
    CHECK_TRUE(gateway->pipeline().recovery.checkpoint_id >= last);
  }
}

TEST(Recovery, retained_messages_are_not_counted_again_after_a_reconnect) {
  prepare();
  CHECK_TRUE(gateway->start_broker());
  CHECK_TRUE(gateway->start_clients());
  CHECK_TRUE(gateway->publish("sensors/old/env", "{\"value\":1,\"ts\":1700000000000}", 1, true));
  CHECK_TRUE(gateway->start_agent());
  CHECK_TRUE(gateway->wait_received(1));
  CHECK_TRUE(take_over_session(gateway->broker().port(), "box-per-second").ok());
  const auto reconnected = [](const ObservedAgent& agent) {
    return agent.pipelines.front().source.connected && agent.pipelines.front().source.connects >= 2;
  };
  CHECK_TRUE(reconnected(gateway->agent().wait_for(reconnected)));
  crash_and_restart();
  sleep_ms(200);
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline().ledger.applied);
}

}  // namespace
