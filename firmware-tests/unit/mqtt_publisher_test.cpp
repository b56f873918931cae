#include "connectors/mqtt/mqtt_publisher.h"

#include <algorithm>
#include <csignal>

#include "firmware-tests/support/fake_broker.h"
#include "firmware-tests/support/mqtt_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

struct TestOutbox final : PublisherHandler {
  void on_publisher_ready(Now now) override {
    ++ready_calls;
    if (when_ready) when_ready(now);
  }
  void on_published(uint32_t ticket, Now now) override {
    published.push_back(ticket);
    if (when_ready) when_ready(now);
  }
  void on_rejected(uint32_t ticket, const char* why, Now) override {
    rejected.push_back(ticket);
    reason = why;
  }
  size_t answers() const { return published.size() + rejected.size(); }

  size_t ready_calls = 0;
  std::vector<uint32_t> published;
  std::vector<uint32_t> rejected;
  std::string reason;
  std::function<void(Now)> when_ready;
};

}  // namespace

TEST_GROUP(MqttPublisher) {
  FakeBroker broker;
  MqttPublisherSpec spec;
  Arena arena{16 << 20};
  TestReactor reactor;
  TestOutbox outbox;
  std::unique_ptr<MqttPublisher> publisher;

  void setup() override {
    signal(SIGPIPE, SIG_IGN);
    spec.name = "test";
    spec.host = "127.0.0.1";
    spec.port = broker.port();
    spec.client_id = "gw-1";
    spec.row_bytes_max = 200;
  }
  /// Before the arena and the reactor that it uses.
  void teardown() override { publisher.reset(); }

  void start() {
    publisher = std::make_unique<MqttPublisher>(spec, arena);
    CHECK(publisher->start(reactor, outbox, reactor.now()).ok());
    CHECK(until([&] { return publisher->ready(); }));
  }
  bool until(const std::function<bool()>& done, int ms = 5000) { return reactor.run_until(done, ms); }
  void publish(uint32_t ticket, const std::string& topic = "alerts/a", const std::string& payload = "hot") {
    publisher->publish({{0x0123456789ABCDEF, ticket}, topic, as_bytes(payload)}, ticket, reactor.now());
  }
  bool until_published(size_t count) {
    return until([&] { return outbox.published.size() == count; });
  }
  bool until_rejected(const char* reason) {
    return until([&] { return outbox.rejected.size() == 1; }) && outbox.reason == reason;
  }
  void without_pubacks() {
    broker.answer([](Answers& answers) { answers.puback = false; });
  }
  std::vector<ReceivedPacket> received_publications() {
    std::vector<ReceivedPacket> all = broker.received();
    std::erase_if(all, [](const ReceivedPacket& packet) { return packet.type != Packet::Publish; });
    return all;
  }
};

TEST(MqttPublisher, publishes_with_its_own_client_id_and_the_row_id_as_a_property) {
  start();
  publish(0xAB);
  CHECK(until_published(1));
  CHECK(broker.received().at(0).body.find("gw-1-out") != std::string::npos);
  CHECK((broker.received().at(0).body.at(7) & 2) != 0);  // clean start
  ReceivedPacket packet = received_publications().at(0);
  STRCMP_EQUAL("alerts/a", packet.topic.c_str());
  STRCMP_EQUAL("hot", packet.payload.c_str());
  UNSIGNED_LONGS_EQUAL(1, packet.properties.size());
  STRCMP_EQUAL("weir-id", packet.properties[0].first.c_str());
  STRCMP_EQUAL("0123456789abcdef00000000000000ab", packet.properties[0].second.c_str());
  UNSIGNED_LONGS_EQUAL(0xAB, outbox.published[0]);
}

TEST(MqttPublisher, version_3_1_1_has_no_property) {
  spec.version_5 = false;
  start();
  publish(1, "t", "");
  CHECK(until_published(1));
  STRCMP_EQUAL("", received_publications().at(0).payload.c_str());
}

TEST(MqttPublisher, sets_the_retain_flag_if_told_to) {
  spec.retain = true;
  start();
  publish(1);
  CHECK(until_published(1));
  UNSIGNED_LONGS_EQUAL(1, received_publications().at(0).flags & 1);
}

TEST(MqttPublisher, keeps_at_most_a_hundred_in_flight) {
  without_pubacks();
  start();
  for (uint32_t ticket = 0; ticket < 100; ++ticket) {
    CHECK(publisher->ready());
    publish(ticket);
  }
  CHECK_FALSE(publisher->ready());
  CHECK(until([&] { return broker.count(Packet::Publish) == 100; }));
  broker.send_puback(received_publications().at(40).mid, 0);
  CHECK(until_published(1));
  UNSIGNED_LONGS_EQUAL(40, outbox.published[0]);
  CHECK(publisher->ready());
}

TEST(MqttPublisher, sends_no_more_at_a_time_than_the_broker_asks_for) {
  without_pubacks();
  broker.answer([](Answers& answers) { answers.receive_maximum = 10; });
  start();
  for (uint32_t ticket = 0; ticket < 50; ++ticket) publish(ticket);
  CHECK(until([&] { return broker.count(Packet::Publish) == 10; }));
  reactor.run_for(50);
  UNSIGNED_LONGS_EQUAL(10, broker.count(Packet::Publish));
  broker.send_puback(received_publications().at(0).mid, 0);
  CHECK(until([&] { return broker.count(Packet::Publish) == 11; }));
}

TEST(MqttPublisher, an_outbox_that_publishes_from_its_callbacks_drains) {
  uint32_t next = 0;
  outbox.when_ready = [&](Now) {
    while (next < 5000 && publisher->ready()) publish(next++);
  };
  start();
  CHECK(until_published(5000));
  std::vector<uint32_t> tickets = outbox.published;
  std::sort(tickets.begin(), tickets.end());
  for (uint32_t ticket = 0; ticket < 5000; ++ticket) UNSIGNED_LONGS_EQUAL(ticket, tickets[ticket]);
}

TEST(MqttPublisher, answers_each_ticket_once_across_a_lost_connection) {
  without_pubacks();
  start();
  for (uint32_t ticket = 0; ticket < 20; ++ticket) publish(ticket);
  CHECK(until([&] { return broker.count(Packet::Publish) == 20; }));
  broker.send_puback(received_publications().at(0).mid, 0);
  CHECK(until_published(1));
  broker.answer([](Answers& answers) { answers.puback = true; });
  broker.close_connection();
  CHECK(until([&] { return !publisher->ready(); }));
  UNSIGNED_LONGS_EQUAL(19, publisher->status().in_flight);
  CHECK(until_published(20));
  reactor.run_for(50);
  UNSIGNED_LONGS_EQUAL(20, outbox.published.size());
  std::sort(outbox.published.begin(), outbox.published.end());
  for (uint32_t ticket = 0; ticket < 20; ++ticket) UNSIGNED_LONGS_EQUAL(ticket, outbox.published[ticket]);
  UNSIGNED_LONGS_EQUAL(2, publisher->status().connects);
  UNSIGNED_LONGS_EQUAL(20, publisher->status().published);
}

TEST(MqttPublisher, tells_the_outbox_when_the_connection_comes_up) {
  start();
  UNSIGNED_LONGS_EQUAL(1, outbox.ready_calls);
  broker.close_connection();
  CHECK(until([&] { return outbox.ready_calls == 2; }));
}

TEST(MqttPublisher, a_row_that_the_broker_refuses_for_good_is_rejected_with_its_reason) {
  broker.answer([](Answers& answers) { answers.puback_reason = 0x87; });
  start();
  publish(7);
  CHECK(until_rejected("Not authorized"));
  UNSIGNED_LONGS_EQUAL(7, outbox.rejected[0]);
  UNSIGNED_LONGS_EQUAL(0, publisher->status().in_flight);
}

TEST(MqttPublisher, a_row_that_hits_a_quota_is_published_again_after_a_pause) {
  broker.answer([](Answers& answers) { answers.puback_reason = 0x97; });
  start();
  publish(7, "alerts/a", "first");
  publish(8, "alerts/b", "second");
  CHECK(until([&] { return broker.count(Packet::Publish) == 2; }));
  reactor.run_for(50);
  UNSIGNED_LONGS_EQUAL(0, outbox.answers());
  broker.answer([](Answers& answers) { answers.puback_reason = 0; });
  publisher->on_tick(reactor.now());
  reactor.run_for(50);
  UNSIGNED_LONGS_EQUAL(2, broker.count(Packet::Publish));
  reactor.let_pass(5000);
  publisher->on_tick(reactor.now());
  CHECK(until_published(2));
  ReceivedPacket again = received_publications().at(3);
  STRCMP_EQUAL("alerts/b", again.topic.c_str());
  STRCMP_EQUAL("second", again.payload.c_str());
  STRCMP_EQUAL("0123456789abcdef0000000000000008", again.properties.at(0).second.c_str());
}

TEST(MqttPublisher, topics_that_cannot_be_published_to_are_rejected) {
  start();
  publish(1, "alerts/+");
  CHECK(until_rejected("not a valid topic or address"));
  publish(2, std::string("a\0b", 3));
  CHECK(until([&] { return outbox.rejected.size() == 2; }));
  publish(3, "");
  CHECK(until([&] { return outbox.rejected.size() == 3; }));
  publish(4, "\xFF");
  CHECK(until([&] { return outbox.rejected.size() == 4; }));
  publish(5);
  CHECK(until_published(1));
}

TEST(MqttPublisher, a_row_is_never_rejected_inside_of_publish) {
  start();
  publish(1, "alerts/+");
  UNSIGNED_LONGS_EQUAL(0, outbox.rejected.size());
  CHECK(until([&] { return outbox.rejected.size() == 1; }));
}

TEST(MqttPublisher, rows_up_to_the_sink_limit_are_published_and_larger_ones_rejected) {
  start();
  publish(1, "t", std::string(199, 'x'));
  CHECK(until_published(1));
  publish(2, "t", std::string(200, 'x'));
  CHECK(until_rejected("the row is larger than the sink's limit"));
}

TEST(MqttPublisher, a_row_above_the_packet_size_of_the_broker_is_rejected) {
  broker.answer([](Answers& answers) { answers.max_packet_size = 150; });
  start();
  publish(1, "t", std::string(69, 'x'));
  CHECK(until_published(1));
  publish(2, "t", std::string(70, 'x'));
  CHECK(until_rejected("the row is larger than what the broker accepts"));
}

TEST(MqttPublisher, at_quality_zero_written_is_published) {
  spec.qos = 0;
  start();
  for (uint32_t ticket = 0; ticket < 30; ++ticket) publish(ticket);
  CHECK(until_published(30));
  CHECK(until([&] { return broker.count(Packet::Publish) == 30; }));
}

TEST(MqttPublisher, at_quality_zero_what_a_lost_connection_took_along_is_answered_once) {
  spec.qos = 0;
  start();
  broker.close_connection();
  reactor.let_pass(0);
  for (uint32_t ticket = 0; ticket < 30 && publisher->ready(); ++ticket) publish(ticket);
  CHECK(until_published(30));
  CHECK(until([&] { return publisher->ready(); }));
  reactor.run_for(50);
  UNSIGNED_LONGS_EQUAL(30, outbox.answers());
}

TEST(MqttPublisher, stops_after_what_is_in_flight_was_acknowledged) {
  without_pubacks();
  start();
  publish(1);
  CHECK(until([&] { return broker.count(Packet::Publish) == 1; }));
  publisher->stop(reactor.now(), reactor.now().boot_ms + 60000);
  CHECK_FALSE(publisher->ready());
  reactor.run_for(30);
  CHECK_FALSE(publisher->finished());
  broker.send_puback(received_publications().at(0).mid, 0);
  CHECK(until([&] { return publisher->finished(); }));
  UNSIGNED_LONGS_EQUAL(1, outbox.published.size());
  CHECK(until([&] { return broker.count(Packet::Disconnect) == 1; }));
}

TEST(MqttPublisher, stops_at_the_deadline_if_nothing_is_acknowledged) {
  without_pubacks();
  start();
  publish(1);
  publisher->stop(reactor.now(), reactor.now().boot_ms + 1000);
  reactor.let_pass(990);
  publisher->on_tick(reactor.now());
  CHECK_FALSE(publisher->finished());
  reactor.let_pass(10);
  publisher->on_tick(reactor.now());
  CHECK(until([&] { return publisher->finished(); }));
  CHECK(until([&] { return broker.count(Packet::Disconnect) == 1; }));
}

TEST(MqttPublisher, stops_at_once_while_it_is_not_connected) {
  broker.answer([](Answers& answers) { answers.connack = false; });
  publisher = std::make_unique<MqttPublisher>(spec, arena);
  CHECK(publisher->start(reactor, outbox, reactor.now()).ok());
  publisher->stop(reactor.now(), reactor.now().boot_ms + 1000);
  CHECK(publisher->finished());
}
