// A pipeline that cannot keep up presses back to its own source, and to nobody else.
#include "firmware-tests/acceptance/gateway_fixture.h"

namespace {

using namespace weir;

/// "slow" needs 5 ms of processor time for each reading, "quick" hands them through.
constexpr const char* slow_and_quick_config = R"toml(
[agent]
name = "box"
state_dir = "@STATE@"

[mqtt.local]
url = "@BROKER@"

[[pipeline]]
name = "slow"
checkpoint = { interval = "200ms" }

  [pipeline.source]
  mqtt = "local"
  topics = ["slow/+"]
  fields = { value = "float" }

  [[pipeline.step]]
  id = "work"
  operator = "faulty"

  [pipeline.sink]
  mqtt = "local"
  topic = "slow-results"

[[pipeline]]
name = "quick"
checkpoint = { interval = "20ms", min_pause = "1ms" }

  [pipeline.source]
  mqtt = "local"
  topics = ["quick/+"]
  fields = { value = "int", ts = "time(ms)" }

  [pipeline.sink]
  mqtt = "local"
  topic = "results/quick"
)toml";

class OverloadTest : public GatewayTest {
 public:
  static constexpr int slow_messages = 2000;
  static constexpr int64_t way_ms_max = 700;

  void start_both() {
    gateway = std::make_unique<TestGateway>(slow_and_quick_config, WEIR_FAULTY);
    CHECK_TRUE(gateway->start());
  }
  /// Ten seconds of work.
  void flood_the_slow_one() {
    for (int number = 0; number < slow_messages; ++number) CHECK_TRUE(gateway->publish("slow/d", R"({"value":-668})"));
    CHECK_TRUE(gateway->sensor().drain());
  }
  void send_slow_results_to_nobody() {
    // Nobody listens there.
    gateway->replace("[[pipeline]]\nname = \"slow\"",
                     "[mqtt.nobody]\nurl = \"mqtt://127.0.0.1:9\"\n\n[[pipeline]]\nname = \"slow\"");
    gateway->replace("mqtt = \"local\"\n  topic = \"slow-results\"",
                     "mqtt = \"nobody\"\n  outbox = { memory = \"4KiB\", max_bytes = \"8KiB\" }\n  topic = \"slow-results\"");
  }
  /// The longest time from publishing a reading to its result, of some readings one after the other.
  int64_t longest_way_ms(int count) {
    int64_t longest_ms = 0;
    for (int number = 0; number < count; ++number) {
      const size_t before = gateway->listener().count();
      const int64_t start_ms = monotonic_ms();
      CHECK_TRUE(gateway->publish("quick/d", "{\"value\":" + std::to_string(number) + ",\"ts\":1}"));
      CHECK_TRUE(gateway->listener().wait_for_count(before + 1, 20'000));
      longest_ms = std::max(longest_ms, monotonic_ms() - start_ms);
    }
    return longest_ms;
  }
};

TEST_GROUP_BASE(Overload, OverloadTest){};

TEST(Overload, a_slow_pipeline_neither_delays_another_nor_its_acknowledgements) {
  start_both();
  flood_the_slow_one();
  const auto began = [](const ObservedAgent& agent) { return agent.pipeline("slow").ledger.received > 20; };
  CHECK_TRUE(began(gateway->agent().wait_for(began)));
  // About 50 ms. Were the slow one allowed 256 messages at a time, each of the two looks at the socket would wait 1280 ms.
  CHECK_TRUE(longest_way_ms(20) < way_ms_max * patience());
  const auto acknowledged = [](const ObservedAgent& agent) { return agent.pipeline("quick").source.unacknowledged == 0; };
  CHECK_TRUE(acknowledged(gateway->agent().wait_for(acknowledged, way_ms_max)));
  const ObservedPipeline slow = gateway->pipeline("slow");
  CHECK_TRUE(slow.ledger.received < slow_messages);
  CHECK_TRUE(slow.source.unacknowledged < slow_messages);
  CHECK_TRUE(gateway->wait_received(slow_messages + 20, 60'000));
  UNSIGNED_LONGS_EQUAL(slow_messages, gateway->pipeline("slow").ledger.applied);
}

TEST(Overload, a_pipeline_whose_results_have_no_room_holds_up_its_own_input_only) {
  gateway = std::make_unique<TestGateway>(slow_and_quick_config, WEIR_FAULTY);
  send_slow_results_to_nobody();
  CHECK_TRUE(gateway->start());
  for (int number = 0; number < slow_messages; ++number) CHECK_TRUE(gateway->publish("slow/d", R"({"value":1})"));
  const auto blocked = [](const ObservedAgent& agent) { return agent.pipeline("slow").state == "blocked"; };
  CHECK_TRUE(blocked(gateway->agent().wait_for(blocked)));
  CHECK_TRUE(longest_way_ms(20) < way_ms_max * patience());
  // It leaves what it cannot take to the broker, which keeps it.
  const auto left = [](const ObservedAgent& agent) { return !agent.pipeline("slow").source.connected; };
  CHECK_TRUE(left(gateway->agent().wait_for(left)));
  CHECK_TRUE(longest_way_ms(20) < way_ms_max * patience());
  CHECK_TRUE(gateway->pipeline("slow").ledger.received < slow_messages);
  CHECK_TRUE(gateway->pipeline("quick").source.connected);
}

/// Of ten seconds of work the first two are done, or a little more.
TEST(Overload, a_pipeline_that_may_shed_goes_on_with_the_newest_and_counts_what_it_left_out) {
  gateway = std::make_unique<TestGateway>(slow_and_quick_config, WEIR_FAULTY);
  gateway->replace("topics = [\"slow/+\"]", "topics = [\"slow/+\"]\n  shed = { policy = \"oldest\", after = \"2s\" }");
  gateway->replace("topic = \"slow-results\"", "topic = \"results/slow\"\n  delivery = \"at-most-once\"");
  CHECK_TRUE(gateway->start());
  flood_the_slow_one();
  CHECK_TRUE(gateway->publish("slow/d", R"({"value":42})"));
  const auto done = [](const ObservedAgent& agent) {
    const ObservedPipeline slow = agent.pipeline("slow");
    return slow.ledger.received - slow.ledger.duplicate == slow_messages + 1 && slow.source.unacknowledged == 0;
  };
  CHECK_TRUE(done(gateway->agent().wait_for(done, 30'000)));
  const ObservedPipeline slow = gateway->pipeline("slow");
  CHECK_TRUE(slow.ledger.shed > slow_messages / 4);
  CHECK_TRUE(slow.ledger.applied >= 100);
  UNSIGNED_LONGS_EQUAL(slow_messages + 1, slow.ledger.applied + slow.ledger.shed);
  LONGS_EQUAL(0, slow.imbalance);
  CHECK_TRUE(says("messages are shed from here on"));
  STRCMP_CONTAINS(" + shed ", gateway->weir({"status", "--state-dir", gateway->state_dir()}).output.c_str());
  // The account survives the process.
  CHECK_TRUE(gateway->stop_agent());
  CHECK_TRUE(gateway->start_agent());
  UNSIGNED_LONGS_EQUAL(slow.ledger.shed, gateway->pipeline("slow").ledger.shed);
  LONGS_EQUAL(0, gateway->pipeline("slow").imbalance);
}

TEST(Overload, a_pipeline_without_room_sheds_what_comes_and_stays_connected) {
  gateway = std::make_unique<TestGateway>(slow_and_quick_config, WEIR_FAULTY);
  send_slow_results_to_nobody();
  gateway->replace("topics = [\"slow/+\"]", "topics = [\"slow/+\"]\n  shed = { policy = \"newest\", after = \"2s\" }");
  gateway->replace("topic = \"slow-results\"", "topic = \"slow-results\"\n  delivery = \"at-most-once\"");
  CHECK_TRUE(gateway->start());
  for (int number = 0; number < slow_messages; ++number) CHECK_TRUE(gateway->publish("slow/d", R"({"value":1})"));
  const auto shed = [](const ObservedAgent& agent) {
    const ObservedPipeline slow = agent.pipeline("slow");
    return slow.ledger.received - slow.ledger.duplicate == slow_messages && slow.source.unacknowledged == 0;
  };
  CHECK_TRUE(shed(gateway->agent().wait_for(shed, 30'000)));
  const ObservedPipeline slow = gateway->pipeline("slow");
  CHECK_TRUE(slow.source.connected);
  CHECK_TRUE(slow.source.shedding);
  CHECK_TRUE(slow.ledger.applied > 0);
  UNSIGNED_LONGS_EQUAL(slow_messages, slow.ledger.applied + slow.ledger.shed);
  LONGS_EQUAL(0, slow.imbalance);
}

}  // namespace
