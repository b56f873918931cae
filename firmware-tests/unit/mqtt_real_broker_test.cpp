#include <csignal>
#include <set>

#include "firmware-tests/support/broker.h"
#include "firmware-tests/support/mqtt_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

/// Publishes numbered messages through the sink's own publisher.
struct Sender final : PublisherHandler {
  explicit Sender(const MqttPublisherSpec& spec) : publisher(spec, arena) {}
  void on_publisher_ready(Now now) override {
    while (sent < wanted && publisher.ready()) {
      std::string payload = std::to_string(++sent);
      publisher.publish({{1, sent}, "sensors/a", as_bytes(payload)}, sent, now);
    }
  }
  void on_published(uint32_t, Now now) override {
    ++acknowledged;
    on_publisher_ready(now);
  }
  void on_rejected(uint32_t, const char*, Now) override {}

  Arena arena{16 << 20};
  MqttPublisher publisher;
  uint32_t wanted = 0;
  uint32_t sent = 0;
  uint32_t acknowledged = 0;
};

}  // namespace

/// The whole way against mosquitto itself: sessions, redelivery and packet ids as the broker really does them.
TEST_GROUP(MqttWithMosquitto) {
  Broker broker;
  MqttSourceSpec spec;
  TestCheckpoints checkpoints;
  TestReactor reactor;
  std::unique_ptr<Sender> sender;
  std::unique_ptr<Arena> arena;
  std::unique_ptr<TestPipeline> pipeline;
  std::unique_ptr<MqttSource> source;
  std::vector<std::string> applied;  // what the committed checkpoints and the living process have counted
  size_t committed = 0;

  void setup() override {
    signal(SIGPIPE, SIG_IGN);
    CHECK(broker.start().ok());
    spec.name = "test";
    spec.host = "127.0.0.1";
    spec.port = broker.port();
    spec.client_id = "gw-1";
    spec.topics = {"sensors/+"};
    spec.session_expiry_ms = 3600 * 1000;
  }
  void teardown() override {
    source.reset();
    sender.reset();
  }

  void start_sender() {
    MqttPublisherSpec out;
    out.name = "sender";
    out.host = "127.0.0.1";
    out.port = broker.port();
    out.version_5 = spec.version_5;
    out.client_id = "sender";
    out.row_bytes_max = 100;
    sender = std::make_unique<Sender>(out);
    CHECK(sender->publisher.start(reactor, *sender, reactor.now()).ok());
  }
  void start_agent() {
    arena = std::make_unique<Arena>(16 << 20);
    pipeline = std::make_unique<TestPipeline>();
    pipeline->when_message = [this] { applied.push_back(pipeline->delivered.back().payload); };
    source = std::make_unique<MqttSource>(spec, *arena);
    CHECK(checkpoints.restore(*source).ok());
    CHECK(source->start(reactor, *pipeline, reactor.now()).ok());
  }
  void checkpoint() {
    checkpoints.checkpoint(*source);
    committed = applied.size();
  }
  /// What no checkpoint covered is gone, as the state of a killed process is.
  void kill_agent() {
    source.reset();
    applied.resize(committed);
  }
  void send(uint32_t count) {
    sender->wanted += count;
    sender->on_publisher_ready(reactor.now());
  }
  bool until(const std::function<bool()>& done) { return reactor.run_until(done, 15000); }
  /// Takes checkpoints on the way, as a pipeline does before the broker's window is used up.
  bool until_applied(size_t count) {
    return until([&] {
      if (source->status().unacknowledged >= 500) checkpoint();
      return applied.size() >= count;
    });
  }
  void every_message_exactly_once(uint32_t count) {
    std::set<std::string> distinct(applied.begin(), applied.end());
    UNSIGNED_LONGS_EQUAL(count, distinct.size());
    UNSIGNED_LONGS_EQUAL(count, applied.size());
  }
  void killed_again_and_again() {
    constexpr uint32_t rounds = 15;
    constexpr uint32_t each = 400;
    start_agent();
    CHECK(until([&] { return source->status().connected; }));
    reactor.run_for(100);  // the subscription
    checkpoint();
    start_sender();
    for (uint32_t round = 0; round < rounds; ++round) {
      send(each);
      size_t before = applied.size();
      CHECK(until_applied(before + 100 + 20 * round));
      checkpoint();
      // Some rounds die with acknowledgements on their way, some with deliveries that no checkpoint covers.
      reactor.run_for(static_cast<int>(round % 3) * 10);
      kill_agent();
      start_agent();
    }
    CHECK(until_applied(rounds * each));
    reactor.run_for(200);
    every_message_exactly_once(rounds * each);
    CHECK(until([&] { return sender->acknowledged == rounds * each; }));
  }
};

TEST(MqttWithMosquitto, nothing_is_lost_or_counted_twice_when_killed_again_and_again) { killed_again_and_again(); }

TEST(MqttWithMosquitto, nothing_is_lost_or_counted_twice_with_3_1_1) {
  spec.version_5 = false;
  killed_again_and_again();
}

TEST(MqttWithMosquitto, a_broker_restart_is_survived_by_source_and_publisher) {
  start_agent();
  start_sender();
  CHECK(until([&] { return source->status().connected && sender->publisher.ready(); }));
  reactor.run_for(100);
  checkpoint();
  send(500);
  CHECK(until([&] { return applied.size() >= 200; }));
  CHECK(broker.stop().ok());
  checkpoint();
  CHECK(broker.start().ok());
  send(100);
  CHECK(until([&] {
    std::set<std::string> distinct(applied.begin(), applied.end());
    if (source->status().unacknowledged >= 500) checkpoint();
    return distinct.size() == 600 && sender->acknowledged == 600;
  }));
}

TEST(MqttWithMosquitto, an_orderly_stop_leaves_nothing_to_redeliver) {
  start_agent();
  start_sender();
  CHECK(until([&] { return source->status().connected; }));
  reactor.run_for(100);
  send(300);
  CHECK(until([&] { return applied.size() == 300; }));
  source->stop(reactor.now());
  checkpoint();
  CHECK(until([&] { return source->finished(); }));
  // The next connection would take the session over before the broker has read all acknowledgements.
  CHECK(until([&] { return broker.log().find("Client gw-1 disconnected.") != std::string::npos; }));
  start_agent();
  CHECK(until([&] { return source->status().connected; }));
  reactor.run_for(200);
  UNSIGNED_LONGS_EQUAL(0, pipeline->duplicates);
  every_message_exactly_once(300);
}
