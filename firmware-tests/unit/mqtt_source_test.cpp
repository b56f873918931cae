#include "connectors/mqtt/mqtt_source.h"

#include <csignal>

#include "firmware-tests/support/fake_broker.h"
#include "firmware-tests/support/mqtt_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

/// A source with its pipeline, as one process of the agent has it. Destroying it is a crash: nothing is said to the broker.
struct Agent {
  explicit Agent(const MqttSourceSpec& spec) : source(spec, arena) {}

  Status start() { return source.start(reactor, pipeline, reactor.now()); }
  bool until(const std::function<bool()>& done, int ms = 5000) { return reactor.run_until(done, ms); }
  bool connected() { return source.status().connected; }
  bool until_delivered(size_t count) {
    return until([&] { return pipeline.delivered.size() >= count; }) && pipeline.delivered.size() == count;
  }
  void tick_after(int64_t ms) {
    reactor.let_pass(ms);
    source.on_tick(reactor.now());
  }

  Arena arena{16 << 20};
  TestReactor reactor;
  TestPipeline pipeline;
  MqttSource source;
};

}  // namespace

TEST_GROUP(MqttSource) {
  FakeBroker broker;
  MqttSourceSpec spec;
  TestCheckpoints checkpoints;
  std::unique_ptr<Agent> agent;
  uint16_t next_mid = 1;

  void setup() override {
    signal(SIGPIPE, SIG_IGN);
    spec.name = "test";
    spec.host = "127.0.0.1";
    spec.port = broker.port();
    spec.client_id = "gw-1";
    spec.topics = {"sensors/+"};
    spec.max_message = 100;
    spec.session_expiry_ms = 3600 * 1000;
  }

  void start() {
    agent = std::make_unique<Agent>(spec);
    CHECK(checkpoints.restore(agent->source).ok());
    CHECK(agent->start().ok());
    CHECK(agent->until([&] { return agent->connected(); }));
  }
  void start_subscribed() {
    start();
    CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == spec.topics.size(); }));
    agent->reactor.run_for(20);
  }
  void crash() {
    agent.reset();
    broker.answer([](Answers& answers) { answers.session_present = true; });
  }
  void publish(const std::string& payload) { broker.publish({"sensors/a", payload, next_mid++}); }
  void publish_many(int count) {
    for (int number = 0; number < count; ++number) publish("message " + std::to_string(next_mid));
  }
  void redeliver(uint16_t mid, const std::string& payload) { broker.publish({"sensors/a", payload, mid, true}); }
  void checkpoint() { checkpoints.checkpoint(agent->source); }
  /// Long enough for whatever could be sent to arrive.
  void nothing_more_is_sent() { agent->reactor.run_for(60); }
  size_t pubacks(int connection = 0) { return broker.count(Packet::Puback, connection); }
  bool until_pubacks(size_t count, int connection = 0) {
    return agent->until([&] { return pubacks(connection) >= count; }) && pubacks(connection) == count;
  }
  /// The broker's side loses the connection; the agent comes back by itself.
  void reconnect() {
    int before = broker.connections();
    broker.answer([](Answers& answers) { answers.session_present = true; });
    broker.close_connection();
    CHECK(agent->until([&] { return broker.connections() == before + 1 && agent->connected(); }));
  }
};

// ---- acknowledgements

TEST(MqttSource, acknowledges_only_after_the_checkpoint_is_committed_and_then_in_order) {
  start_subscribed();
  publish_many(1000);
  CHECK(agent->until_delivered(1000));
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  checkpoints.barrier(agent->source);
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  checkpoints.commit(agent->source);
  CHECK(until_pubacks(1000));
  std::vector<uint16_t> mids = broker.mids(Packet::Puback);
  for (size_t index = 0; index < mids.size(); ++index) UNSIGNED_LONGS_EQUAL(index + 1, mids[index]);
}

TEST(MqttSource, a_ping_does_not_carry_acknowledgements_out_early) {
  spec.keepalive_ms = 5000;
  start_subscribed();
  publish_many(3);
  CHECK(agent->until_delivered(3));
  // The library's own clock decides when a ping is due.
  CHECK(agent->until(
            [&] {
              agent->source.on_tick(agent->reactor.now());
              return false;
            },
            6500) == false);
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  UNSIGNED_LONGS_EQUAL(0, broker.count(Packet::Pingreq));
  checkpoint();
  CHECK(agent->until([&] { return broker.count(Packet::Pingreq) == 1; }));
  UNSIGNED_LONGS_EQUAL(3, pubacks());
}

TEST(MqttSource, pings_while_there_is_nothing_to_acknowledge) {
  spec.keepalive_ms = 5000;
  start_subscribed();
  CHECK(agent->until(
      [&] {
        agent->source.on_tick(agent->reactor.now());
        return broker.count(Packet::Pingreq) == 1;
      },
      8000));
  CHECK(agent->connected());
}

TEST(MqttSource, reads_nothing_between_a_barrier_and_its_decision) {
  start_subscribed();
  publish("before");
  CHECK(agent->until_delivered(1));
  checkpoints.barrier(agent->source);
  publish("after");
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.delivered.size());
  checkpoints.commit(agent->source);
  CHECK(agent->until_delivered(2));
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(1, pubacks());
}

TEST(MqttSource, a_barrier_in_the_middle_of_reading_stops_reading_at_once) {
  start_subscribed();
  agent->pipeline.when_message = [this] {
    if (agent->pipeline.delivered.size() == 10) checkpoints.barrier(agent->source);
  };
  publish_many(50);
  CHECK(agent->until_delivered(10));
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(10, agent->pipeline.delivered.size());
  checkpoints.commit(agent->source);
  CHECK(agent->until_delivered(50));
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(10, pubacks());
}

TEST(MqttSource, a_failed_checkpoint_acknowledges_nothing_and_the_next_one_everything) {
  start_subscribed();
  publish_many(5);
  CHECK(agent->until_delivered(5));
  checkpoints.barrier(agent->source);
  checkpoints.fail(agent->source);
  publish_many(2);
  CHECK(agent->until_delivered(7));
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  checkpoint();
  CHECK(until_pubacks(7));
}

TEST(MqttSource, abandoning_never_acknowledges_on_that_connection) {
  start_subscribed();
  publish_many(5);
  CHECK(agent->until_delivered(5));
  broker.answer([](Answers& answers) { answers.session_present = true; });
  agent->source.abandon(agent->reactor.now());
  CHECK_FALSE(agent->connected());
  checkpoint();
  CHECK(agent->until([&] { return broker.connections() == 2 && agent->connected(); }));
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
}

TEST(MqttSource, a_lost_connection_acknowledges_nothing_of_the_old_one_on_the_new_one) {
  start_subscribed();
  publish_many(5);
  CHECK(agent->until_delivered(5));
  reconnect();
  checkpoint();
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  UNSIGNED_LONGS_EQUAL(1, broker.count(Packet::Subscribe));
}

TEST(MqttSource, a_redelivery_of_what_no_checkpoint_covers_is_acknowledged_after_the_checkpoint_too) {
  start_subscribed();
  publish("one");
  CHECK(agent->until_delivered(1));
  reconnect();
  redeliver(1, "one");
  CHECK(agent->until([&] { return agent->pipeline.duplicates == 1; }));
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  checkpoint();
  CHECK(until_pubacks(1, 2));
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.delivered.size());
}

TEST(MqttSource, a_redelivery_of_what_is_durable_is_acknowledged_at_once) {
  start_subscribed();
  publish("one");
  CHECK(agent->until_delivered(1));
  checkpoint();
  reconnect();
  redeliver(1, "one");
  CHECK(until_pubacks(1, 2));
}

TEST(MqttSource, quality_of_service_zero_is_neither_recorded_nor_held) {
  spec.qos = 0;
  start_subscribed();
  broker.publish({"sensors/a", "x"});
  CHECK(agent->until_delivered(1));
  UNSIGNED_LONGS_EQUAL(0, agent->source.status().unacknowledged);
  checkpoint();
  UNSIGNED_LONGS_EQUAL(0, checkpoints.blobs(BlobKind::SessionTail));
}

// ---- the redelivery rule

TEST(MqttSource, drops_redeliveries_after_a_crash_and_takes_what_is_new) {
  start_subscribed();
  publish_many(3);
  CHECK(agent->until_delivered(3));
  checkpoint();
  crash();
  start();
  for (uint16_t mid = 1; mid <= 3; ++mid) redeliver(mid, "message " + std::to_string(mid));
  publish_many(2);
  CHECK(agent->until_delivered(2));
  UNSIGNED_LONGS_EQUAL(3, agent->pipeline.duplicates);
  STRCMP_EQUAL("message 4", agent->pipeline.delivered[0].payload.c_str());
  UNSIGNED_LONGS_EQUAL(4, agent->pipeline.delivered[0].offset);
}

TEST(MqttSource, takes_again_what_was_delivered_after_the_last_checkpoint_of_a_crashed_process) {
  start_subscribed();
  publish("covered");
  CHECK(agent->until_delivered(1));
  checkpoint();
  publish("not covered");
  CHECK(agent->until_delivered(2));
  crash();
  start();
  redeliver(1, "covered");
  redeliver(2, "not covered");
  CHECK(agent->until_delivered(1));
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.duplicates);
  STRCMP_EQUAL("not covered", agent->pipeline.delivered[0].payload.c_str());
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.delivered[0].offset);
}

TEST(MqttSource, tells_constant_payloads_apart_by_packet_id) {
  start_subscribed();
  for (int number = 0; number < 3; ++number) publish("same");
  CHECK(agent->until_delivered(3));
  checkpoint();
  crash();
  start();
  redeliver(2, "same");
  redeliver(3, "same");
  redeliver(4, "same");  // handed to the socket before the crash, never received
  publish("same");
  CHECK(agent->until_delivered(2));
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.duplicates);
}

TEST(MqttSource, a_redelivery_that_is_unknown_is_new_and_leaves_the_window_open) {
  start_subscribed();
  publish_many(2);
  CHECK(agent->until_delivered(2));
  checkpoint();
  crash();
  start();
  redeliver(9, "never seen");
  redeliver(1, "another payload");
  redeliver(2, "message 2");
  CHECK(agent->until([&] { return agent->pipeline.duplicates == 1; }));
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.delivered.size());
}

TEST(MqttSource, the_first_delivery_without_the_mark_closes_the_window) {
  start_subscribed();
  publish_many(2);
  CHECK(agent->until_delivered(2));
  checkpoint();
  crash();
  start();
  publish("new");
  redeliver(1, "message 1");
  CHECK(agent->until_delivered(2));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.duplicates);
}

TEST(MqttSource, deliveries_at_quality_zero_leave_the_window_open) {
  start_subscribed();
  publish("one");
  CHECK(agent->until_delivered(1));
  checkpoint();
  crash();
  start();
  broker.publish({"sensors/a", "fleeting"});
  redeliver(1, "one");
  CHECK(agent->until([&] { return agent->pipeline.duplicates == 1; }));
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.delivered.size());
}

TEST(MqttSource, a_message_without_the_mark_is_new_even_if_it_looks_like_a_known_one) {
  start_subscribed();
  publish("same");
  CHECK(agent->until_delivered(1));
  checkpoint();
  crash();
  start();
  broker.publish({"sensors/a", "same", 1, false});
  CHECK(agent->until_delivered(1));
}

TEST(MqttSource, knows_redeliveries_in_a_second_and_third_reconnect_whose_acknowledgements_were_lost) {
  start_subscribed();
  publish_many(2);
  CHECK(agent->until_delivered(2));
  for (size_t round = 1; round <= 3; ++round) {
    reconnect();
    redeliver(1, "message 1");
    redeliver(2, "message 2");
    CHECK(agent->until([&] { return agent->pipeline.duplicates == 2 * round; }));
    agent->tick_after(1500);  // held long enough to come back quickly
  }
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.delivered.size());
}

TEST(MqttSource, a_duplicate_dropped_before_a_crash_is_known_after_it) {
  start_subscribed();
  publish("one");
  CHECK(agent->until_delivered(1));
  reconnect();
  redeliver(1, "one");
  CHECK(agent->until([&] { return agent->pipeline.duplicates == 1; }));
  checkpoint();
  crash();
  start();
  redeliver(1, "one");
  CHECK(agent->until([&] { return agent->pipeline.duplicates == 1; }));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.delivered.size());
}

// ---- the session

TEST(MqttSource, the_first_start_subscribes_at_once_and_calls_it_expected) {
  start();
  CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == 1; }));
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.sessions_lost.size());
  CHECK(agent->pipeline.sessions_lost[0]);
}

TEST(MqttSource, a_lost_session_is_subscribed_to_only_after_the_empty_tail_is_durable) {
  start_subscribed();
  publish("one");
  CHECK(agent->until_delivered(1));
  checkpoint();
  crash();
  broker.answer([](Answers& answers) { answers.session_present = false; });
  start();
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.sessions_lost.size());
  CHECK_FALSE(agent->pipeline.sessions_lost[0]);
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(1, broker.count(Packet::Subscribe));
  checkpoints.barrier(agent->source);
  checkpoints.fail(agent->source);
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(1, broker.count(Packet::Subscribe));
  checkpoint();
  CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == 2; }));
  UNSIGNED_LONGS_EQUAL(0, checkpoints.blobs(BlobKind::SessionTail));
}

TEST(MqttSource, a_session_lost_while_a_connection_is_made_again_is_told_once) {
  start_subscribed();
  publish("one");
  CHECK(agent->until_delivered(1));
  checkpoint();
  broker.close_connection();
  CHECK(agent->until([&] { return broker.connections() == 2 && agent->connected(); }));
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.sessions_lost.size());
  reconnect();
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.sessions_lost.size());
  UNSIGNED_LONGS_EQUAL(1, broker.count(Packet::Subscribe));
  checkpoint();
  CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == 2; }));
}

TEST(MqttSource, a_session_that_was_followed_is_not_subscribed_again) {
  start_subscribed();
  checkpoint();
  reconnect();
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(1, broker.count(Packet::Subscribe));
}

TEST(MqttSource, a_new_process_subscribes_again_for_the_session_may_be_an_empty_one) {
  start_subscribed();
  checkpoint();
  crash();
  start();
  CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == 2; }));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.sessions_lost.size());
}

TEST(MqttSource, subscribes_again_after_an_attempt_whose_answer_was_never_read) {
  start_subscribed();
  checkpoint();
  // The broker makes a new, empty session for the CONNECT, but its answer is lost on the way.
  broker.answer([](Answers& answers) { answers.connack = false; });
  int before = broker.connections();
  broker.close_connection();
  CHECK(agent->until([&] { return broker.connections() == before + 1; }));
  broker.answer([](Answers& answers) {
    answers.connack = true;
    answers.session_present = true;
  });
  broker.close_connection();
  CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == 2; }));
}

TEST(MqttSource, changed_filters_are_subscribed_and_removed_ones_unsubscribed) {
  spec.topics = {"kept", "removed"};
  start_subscribed();
  checkpoint();
  crash();
  spec.topics = {"kept", "added"};
  start();
  CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == 4 && broker.count(Packet::Unsubscribe) == 1; }));
  std::vector<ReceivedPacket> received = broker.received();
  for (const ReceivedPacket& packet : received)
    if (packet.connection == 2 && packet.type == Packet::Subscribe) CHECK(packet.topic == "added" || packet.topic == "kept");
  for (const ReceivedPacket& packet : received)
    if (packet.type == Packet::Unsubscribe) STRCMP_EQUAL("removed", packet.topic.c_str());
  agent->reactor.run_for(20);
  checkpoint();
  crash();
  start();
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, broker.count(Packet::Unsubscribe, 3));
}

TEST(MqttSource, a_refused_subscription_shows_and_is_tried_again_after_a_reconnect) {
  broker.answer([](Answers& answers) { answers.suback_code = 0x87; });
  start_subscribed();
  STRCMP_EQUAL("the broker refused a subscription", agent->source.status().error);
  broker.answer([](Answers& answers) { answers.suback_code = -1; });
  reconnect();
  CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == 2; }));
  CHECK(agent->until([&] { return std::string(agent->source.status().error).empty(); }));
}

TEST(MqttSource, subscribes_with_retained_messages_only_for_new_subscriptions_on_version_five) {
  start_subscribed();
  for (const ReceivedPacket& packet : broker.received())
    if (packet.type == Packet::Subscribe) UNSIGNED_LONGS_EQUAL(0x11, packet.options);
}

TEST(MqttSource, a_changed_client_id_does_not_inherit_the_session_tail) {
  start_subscribed();
  publish("one");
  CHECK(agent->until_delivered(1));
  checkpoint();
  crash();
  spec.client_id = "gw-2";
  start();
  redeliver(1, "one");
  CHECK(agent->until_delivered(1));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.duplicates);
  UNSIGNED_LONGS_EQUAL(1, broker.count(Packet::Subscribe));
  checkpoint();
  CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == 2; }));
}

TEST(MqttSource, asks_the_broker_for_its_window_session_and_packet_size) {
  spec.max_unacked = 0x123;
  spec.max_packet_size = 0x4567;
  spec.session_expiry_ms = 0x89A * 1000;
  start();
  std::string connect = broker.received().at(0).body;
  CHECK(connect.find(std::string("\x21\x01\x23", 3)) != std::string::npos);
  CHECK(connect.find(std::string("\x27\0\0\x45\x67", 5)) != std::string::npos);
  CHECK(connect.find(std::string("\x11\0\0\x08\x9A", 5)) != std::string::npos);
  UNSIGNED_LONGS_EQUAL(0, connect.at(7) & 2);  // clean start
}

// ---- version 3.1.1

TEST(MqttSource, speaks_3_1_1_with_the_same_guarantees) {
  spec.version_5 = false;
  start_subscribed();
  UNSIGNED_LONGS_EQUAL(4, broker.received().at(0).body.at(6));
  publish_many(3);
  CHECK(agent->until_delivered(3));
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  checkpoint();
  CHECK(until_pubacks(3));
  publish("not covered");
  CHECK(agent->until_delivered(4));
  crash();
  start();
  redeliver(3, "message 3");
  redeliver(4, "not covered");
  CHECK(agent->until_delivered(1));
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.duplicates);
  CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == 2; }));  // once by each process
}

// ---- what cannot be delivered

TEST(MqttSource, sets_a_payload_above_the_limit_aside_and_acknowledges_it_in_order) {
  start_subscribed();
  publish(std::string(100, 'a'));
  publish(std::string(101, 'b'));
  publish("c");
  CHECK(agent->until_delivered(2));
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.refused.size());
  const Delivered& refused = agent->pipeline.refused[0];
  STRCMP_EQUAL("too-large", refused.reason.c_str());
  STRCMP_EQUAL("the payload has 101 bytes, the limit is 100", refused.detail.c_str());
  UNSIGNED_LONGS_EQUAL(100, refused.payload.size());
  UNSIGNED_LONGS_EQUAL(2, refused.offset);
  UNSIGNED_LONGS_EQUAL(3, agent->pipeline.delivered[1].offset);
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  checkpoint();
  CHECK(until_pubacks(3));
}

TEST(MqttSource, sets_a_topic_above_the_limit_aside) {
  start_subscribed();
  broker.publish({std::string(1024, 't'), "x", 1});
  broker.publish({std::string(1025, 't'), "x", 2});
  CHECK(agent->until([&] { return agent->pipeline.refused.size() == 1; }));
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.delivered.size());
  STRCMP_EQUAL("topic-too-long", agent->pipeline.refused[0].reason.c_str());
  UNSIGNED_LONGS_EQUAL(1024, agent->pipeline.refused[0].topic.size());
}

TEST(MqttSource, knows_redeliveries_of_what_was_set_aside) {
  start_subscribed();
  publish(std::string(101, 'b'));
  CHECK(agent->until([&] { return agent->pipeline.refused.size() == 1; }));
  checkpoint();
  crash();
  start();
  redeliver(1, std::string(101, 'b'));
  CHECK(agent->until([&] { return agent->pipeline.duplicates == 1; }));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.refused.size());
}

TEST(MqttSource, delivers_empty_payloads) {
  start_subscribed();
  publish("");
  CHECK(agent->until_delivered(1));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.delivered[0].payload.size());
}

TEST(MqttSource, skips_retained_messages_if_told_to_and_acknowledges_them) {
  spec.use_retained = false;
  start_subscribed();
  broker.publish({"sensors/a", "old", 1, false, true});
  CHECK(until_pubacks(1));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.delivered.size());
  UNSIGNED_LONGS_EQUAL(0, agent->source.status().offset);
  publish("new");
  CHECK(agent->until_delivered(1));
}

TEST(MqttSource, tags_retained_messages_if_they_are_used) {
  start_subscribed();
  broker.publish({"sensors/a", "old", 1, false, true});
  CHECK(agent->until_delivered(1));
  CHECK(agent->pipeline.delivered[0].retained);
}

// ---- backpressure

TEST(MqttSource, delivers_only_while_the_pipeline_is_ready) {
  start_subscribed();
  agent->pipeline.limit = 10;
  publish_many(30);
  CHECK(agent->until_delivered(10));
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(10, agent->pipeline.delivered.size());
  uint64_t turns = agent->reactor.turns();
  agent->reactor.run_for(100);
  CHECK(agent->reactor.turns() - turns < 40);  // does not spin on a socket that it may not read
  agent->pipeline.limit = SIZE_MAX;
  agent->source.resume(agent->reactor.now());
  CHECK(agent->until_delivered(30));
}

TEST(MqttSource, drains_a_backlog_in_few_turns) {
  start_subscribed();
  agent->pipeline.is_ready = false;
  agent->source.resume(agent->reactor.now());
  publish_many(1000);
  agent->reactor.run_for(50);
  agent->pipeline.is_ready = true;
  agent->source.resume(agent->reactor.now());
  uint64_t turns = agent->reactor.turns();
  CHECK(agent->until_delivered(1000));
  CHECK(agent->reactor.turns() - turns < 50);
}

TEST(MqttSource, stops_reading_at_the_bound_of_what_may_wait_for_a_checkpoint) {
  spec.max_unacked = 10;  // the least bound is 1024
  start_subscribed();
  // A v5 broker may not have more than 10 unacknowledged; the library counts its queued acknowledgements as sent.
  publish_many(1100);
  CHECK(agent->until_delivered(1024));
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(1024, agent->source.status().unacknowledged);
  checkpoint();
  CHECK(agent->until_delivered(1100));
}

TEST(MqttSource, leaves_without_acknowledging_when_it_is_not_taken_from_for_five_seconds) {
  start_subscribed();
  publish_many(2);
  CHECK(agent->until_delivered(2));
  broker.answer([](Answers& answers) { answers.session_present = true; });
  agent->pipeline.is_ready = false;
  agent->tick_after(0);
  agent->tick_after(4999);
  CHECK(agent->connected());
  agent->tick_after(1);
  CHECK_FALSE(agent->connected());
  CHECK(agent->until([&] { return !broker.connected(); }));
  agent->reactor.run_for(1500);
  LONGS_EQUAL(1, broker.connections());  // does not come back before the pipeline is ready
  agent->pipeline.is_ready = true;
  agent->source.resume(agent->reactor.now());
  CHECK(agent->until([&] { return agent->connected(); }));
  UNSIGNED_LONGS_EQUAL(0, pubacks());
}

TEST(MqttSource, short_pauses_do_not_add_up_to_a_stall) {
  start_subscribed();
  for (int second = 0; second < 8; ++second) {
    agent->pipeline.is_ready = false;
    agent->tick_after(1000);
    agent->pipeline.is_ready = true;
    agent->source.resume(agent->reactor.now());
    publish("x");
    CHECK(agent->until_delivered(static_cast<size_t>(second) + 1));
  }
  CHECK(agent->connected());
}

TEST(MqttSource, notices_a_dead_connection_while_it_may_not_read) {
  start_subscribed();
  agent->pipeline.is_ready = false;
  agent->source.resume(agent->reactor.now());
  broker.reset_connection();
  CHECK(agent->until([&] { return !agent->connected(); }));
}

// ---- the end, and failures

TEST(MqttSource, stops_with_the_acknowledgements_that_the_last_checkpoint_covers_and_a_goodbye) {
  start_subscribed();
  publish_many(3);
  CHECK(agent->until_delivered(3));
  agent->source.stop(agent->reactor.now());
  publish("too late");
  nothing_more_is_sent();
  CHECK_FALSE(agent->source.finished());
  UNSIGNED_LONGS_EQUAL(3, agent->pipeline.delivered.size());
  checkpoint();
  CHECK(agent->until([&] { return agent->source.finished(); }));
  CHECK(agent->until([&] { return broker.count(Packet::Disconnect) == 1; }));
  std::vector<uint16_t> expected = {1, 2, 3};
  CHECK(broker.mids(Packet::Puback) == expected);
}

TEST(MqttSource, stops_without_acknowledging_if_the_last_checkpoint_does_not_come) {
  start_subscribed();
  publish_many(3);
  CHECK(agent->until_delivered(3));
  agent->source.stop(agent->reactor.now());
  checkpoints.barrier(agent->source);
  agent->tick_after(10000);
  CHECK_FALSE(agent->source.finished());  // the checkpoint is still on its way
  checkpoints.fail(agent->source);
  agent->tick_after(2000);
  CHECK(agent->source.finished());
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
}

TEST(MqttSource, stops_at_once_while_it_is_not_connected) {
  broker.answer([](Answers& answers) { answers.connack = false; });
  agent = std::make_unique<Agent>(spec);
  CHECK(checkpoints.restore(agent->source).ok());
  CHECK(agent->start().ok());
  agent->reactor.run_for(30);
  agent->source.stop(agent->reactor.now());
  CHECK(agent->source.finished());
}

TEST(MqttSource, says_why_the_broker_does_not_let_it_in_and_tries_again) {
  broker.answer([](Answers& answers) { answers.connack_reason = 0x86; });
  agent = std::make_unique<Agent>(spec);
  CHECK(checkpoints.restore(agent->source).ok());
  CHECK(agent->start().ok());
  CHECK(agent->until([&] { return std::string(agent->source.status().error) == "Bad User Name or Password"; }));
  broker.answer([](Answers& answers) { answers.connack_reason = 0; });
  CHECK(agent->until([&] { return agent->connected(); }));
  STRCMP_EQUAL("", agent->source.status().error);
}

TEST(MqttSource, says_that_the_broker_is_not_there) {
  spec.port = 1;
  agent = std::make_unique<Agent>(spec);
  CHECK(checkpoints.restore(agent->source).ok());
  CHECK(agent->start().ok());
  CHECK(agent->until([&] { return std::string(agent->source.status().error) == "Connection refused"; }));
}

TEST(MqttSource, connects_to_a_name) {
  // Where there is IPv6, "localhost" names ::1 first; the broker listens on 127.0.0.1 only.
  spec.host = "localhost";
  start_subscribed();
  publish("x");
  CHECK(agent->until_delivered(1));
}

TEST(MqttSource, says_that_a_name_does_not_exist) {
  spec.host = "no-such-host.invalid";
  agent = std::make_unique<Agent>(spec);
  CHECK(checkpoints.restore(agent->source).ok());
  CHECK(agent->start().ok());
  CHECK(agent->until([&] { return std::string(agent->source.status().error) != "not connected yet"; }, 30000));
  CHECK_FALSE(agent->connected());
}

TEST(MqttSource, gives_up_an_attempt_that_is_not_answered_within_ten_seconds) {
  broker.answer([](Answers& answers) { answers.connack = false; });
  agent = std::make_unique<Agent>(spec);
  CHECK(checkpoints.restore(agent->source).ok());
  CHECK(agent->start().ok());
  CHECK(agent->until([&] { return broker.connections() == 1; }));
  agent->tick_after(9900);
  STRCMP_EQUAL("not connected yet", agent->source.status().error);
  agent->tick_after(100);
  STRCMP_EQUAL("the broker did not answer", agent->source.status().error);
}

TEST(MqttSource, repeats_the_reason_that_the_broker_gives_for_a_goodbye) {
  start_subscribed();
  broker.send_disconnect(0x8E);
  CHECK(agent->until([&] { return std::string(agent->source.status().error) == "Session taken over"; }));
}

// ---- the clock

TEST(MqttSource, waits_for_a_synchronised_clock_before_it_connects) {
  spec.waits_for_clock = true;
  agent = std::make_unique<Agent>(spec);
  CHECK(checkpoints.restore(agent->source).ok());
  Now now = agent->reactor.now();
  now.unsynchronised = true;
  CHECK(agent->source.start(agent->reactor, agent->pipeline, now).ok());
  agent->source.on_tick(now);
  nothing_more_is_sent();
  LONGS_EQUAL(0, broker.connections());
  STRCMP_EQUAL("waits until the wall clock is synchronised", agent->source.status().error);
  agent->source.on_tick(agent->reactor.now());
  CHECK(agent->until([&] { return agent->connected(); }));
  // Once is enough.
  now.unsynchronised = true;
  agent->source.on_tick(now);
  STRCMP_EQUAL("", agent->source.status().error);
  publish("one");
  CHECK(agent->until_delivered(1));
}

TEST(MqttSource, does_not_wait_for_the_clock_unasked) {
  agent = std::make_unique<Agent>(spec);
  CHECK(checkpoints.restore(agent->source).ok());
  Now now = agent->reactor.now();
  now.unsynchronised = true;
  CHECK(agent->source.start(agent->reactor, agent->pipeline, now).ok());
  CHECK(agent->until([&] { return agent->connected(); }));
}

// ---- shedding

TEST(MqttSource, sheds_what_there_is_no_room_for_after_the_time_and_acknowledges_it_with_the_next_checkpoint) {
  spec.shed = {ShedPolicy::Kind::Newest, 2000, 10};
  start_subscribed();
  agent->pipeline.limit = 3;  // then there is no room
  publish_many(10);
  CHECK(agent->until_delivered(3));
  agent->tick_after(0);
  agent->tick_after(1999);
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.shed);
  CHECK_FALSE(agent->source.status().shedding);
  agent->tick_after(1);
  CHECK(agent->until([&] { return agent->pipeline.shed == 7; }));
  CHECK(agent->source.status().shedding);
  UNSIGNED_LONGS_EQUAL(3, agent->pipeline.delivered.size());
  UNSIGNED_LONGS_EQUAL(10, agent->source.status().unacknowledged);
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  checkpoint();
  CHECK(until_pubacks(10));
}

TEST(MqttSource, without_shedding_it_leaves_what_there_is_no_room_for_to_the_broker) {
  start_subscribed();
  agent->pipeline.limit = 3;
  publish_many(10);
  CHECK(agent->until_delivered(3));
  for (int second = 0; second < 8; ++second) agent->tick_after(1000);
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.shed);
  CHECK_FALSE(agent->connected());
}

TEST(MqttSource, sheds_nothing_between_a_barrier_and_its_decision) {
  spec.shed = {ShedPolicy::Kind::Newest, 2000, 10};
  start_subscribed();
  agent->pipeline.limit = 3;
  publish_many(3);
  CHECK(agent->until_delivered(3));
  agent->tick_after(0);
  checkpoints.barrier(agent->source);
  agent->pipeline.is_ready = false;
  publish_many(4);
  agent->tick_after(2000);
  nothing_more_is_sent();
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.shed);
  agent->pipeline.is_ready = true;
  checkpoints.commit(agent->source);
  CHECK(agent->until([&] { return agent->pipeline.shed == 4; }));
}

TEST(MqttSource, what_was_shed_is_a_duplicate_when_it_comes_again) {
  spec.shed = {ShedPolicy::Kind::Newest, 2000, 10};
  start_subscribed();
  agent->pipeline.limit = 1;
  publish("one");
  publish("two");
  CHECK(agent->until_delivered(1));
  agent->tick_after(0);
  agent->tick_after(2000);
  CHECK(agent->until([&] { return agent->pipeline.shed == 1; }));
  checkpoints.barrier(agent->source);
  checkpoints.commit(agent->source);
  crash();
  start();
  redeliver(1, "one");
  redeliver(2, "two");
  CHECK(agent->until([&] { return agent->pipeline.duplicates == 2; }));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.delivered.size());
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.shed);
}

TEST(MqttSource, sheds_messages_at_qos_0_as_well) {
  spec.shed = {ShedPolicy::Kind::Oldest, 2000, 10};
  spec.qos = 0;
  start_subscribed();
  agent->pipeline.limit = 1;
  for (int number = 0; number < 5; ++number) broker.publish({"sensors/a", std::to_string(number)});
  CHECK(agent->until_delivered(1));
  agent->tick_after(0);
  agent->tick_after(2000);
  CHECK(agent->until([&] { return agent->pipeline.shed == 4; }));
  // There is room again: what waits by then is the last to go.
  agent->pipeline.limit = SIZE_MAX;
  agent->tick_after(1000);
  broker.publish({"sensors/a", "new"});
  CHECK(agent->until_delivered(2));
  STRCMP_EQUAL("new", agent->pipeline.delivered.back().payload.c_str());
}

TEST(MqttSource, counts_takeovers_and_waits_longer_after_each) {
  start_subscribed();
  int64_t least_ms = 0;
  for (uint64_t count = 1; count <= 3; ++count) {
    broker.send_disconnect(0x8E);
    CHECK(agent->until([&] { return agent->source.status().link.takeovers == count; }));
    const SourceStatus status = agent->source.status();
    UNSIGNED_LONGS_EQUAL(count, status.link.lost);
    const int64_t wait_ms = status.link.next_try_boot_ms - status.link.since_boot_ms;
    CHECK(wait_ms > least_ms);
    least_ms = wait_ms;
    if (count < 3) CHECK(agent->until([&] { return agent->connected(); }));
  }
  CHECK(least_ms >= 1600 && least_ms <= 2400);
  UNSIGNED_LONGS_EQUAL(0, agent->source.status().link.closed_early);
}

TEST(MqttSource, counts_connections_that_the_broker_closes_early_without_a_word_for_a_takeover_may_look_like_that) {
  spec.version_5 = false;
  start_subscribed();
  agent->reactor.let_pass(1000);
  broker.close_connection();
  CHECK(agent->until([&] { return agent->source.status().link.closed_early == 1; }));
  CHECK(agent->until([&] { return agent->connected(); }));
  agent->reactor.let_pass(599'000);
  broker.close_connection();
  CHECK(agent->until([&] { return agent->source.status().link.closed_early == 2; }));
  const LinkStatus link = agent->source.status().link;
  CHECK(link.next_try_boot_ms - link.since_boot_ms >= 800);
  UNSIGNED_LONGS_EQUAL(0, link.takeovers);
}

TEST(MqttSource, a_connection_that_ends_after_ten_minutes_is_no_early_one) {
  start_subscribed();
  agent->reactor.let_pass(600'000);
  broker.close_connection();
  CHECK(agent->until([&] { return agent->source.status().link.lost == 1; }));
  const LinkStatus link = agent->source.status().link;
  UNSIGNED_LONGS_EQUAL(0, link.closed_early);
  CHECK(link.next_try_boot_ms - link.since_boot_ms <= 300);
}

TEST(MqttSource, counts_tries_that_fail_and_tells_when_the_next_one_comes) {
  broker.answer([](Answers& answers) { answers.connack_reason = 0x88; });
  agent = std::make_unique<Agent>(spec);
  CHECK(checkpoints.restore(agent->source).ok());
  CHECK(agent->start().ok());
  CHECK(agent->until([&] { return agent->source.status().link.failed_attempts == 1; }));
  const LinkStatus first = agent->source.status().link;
  CHECK(first.next_try_boot_ms > first.since_boot_ms);
  CHECK(agent->until([&] { return agent->source.status().link.failed_attempts == 2; }));
  LONGS_EQUAL(first.since_boot_ms, agent->source.status().link.since_boot_ms);
  UNSIGNED_LONGS_EQUAL(0, agent->source.status().link.lost);
}

TEST(MqttSource, leaves_a_broker_that_sends_more_packets_than_were_asked_for) {
  start_subscribed();
  agent->pipeline.limit = 1;
  // QoS 2, which was not subscribed to, makes the library read several packets at a time.
  std::string qos2 = std::string("\x34\x07\0\1a\0", 6);
  broker.send_bytes(qos2 + std::string("\x01\0x", 3) + qos2 + std::string("\x02\0y", 3));
  broker.publish({"sensors/a", "one", 10});
  broker.publish({"sensors/a", "two", 11});
  agent->reactor.run_for(100);
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.delivered.size());
  UNSIGNED_LONGS_EQUAL(0, pubacks());
}

TEST(MqttSource, refuses_malformed_state) {
  Agent other(spec);
  uint8_t bytes[8] = {};
  CHECK(other.source.restore({BlobKind::Operator, 0, 1, Bytes(bytes, 8)}).code() == Code::Corrupt);
  CHECK(other.source.restore({BlobKind::Delta, 0, 1, Bytes(bytes, 8)}).code() == Code::Corrupt);
}

TEST(MqttSource, offsets_go_on_after_a_restore) {
  start_subscribed();
  publish_many(4);
  CHECK(agent->until_delivered(4));
  checkpoint();
  crash();
  start();
  publish("next");
  CHECK(agent->until_delivered(1));
  UNSIGNED_LONGS_EQUAL(5, agent->pipeline.delivered[0].offset);
  UNSIGNED_LONGS_EQUAL(5, agent->source.status().offset);
}

TEST_GROUP(PublishLine){};

TEST(PublishLine, reads_mark_and_packet_id_behind_the_exact_client_id) {
  PublishLine line = parse_publish_line("Client gw-1 received PUBLISH (d1, q1, r0, m517, 'a/b', ... (5 bytes))", "gw-1");
  CHECK(line.dup == Dup::Yes);
  UNSIGNED_LONGS_EQUAL(517, line.mid);
  CHECK(parse_publish_line("Client gw-1 received PUBLISH (d0, q1, r0, m1, 'a', ...", "gw-1").dup == Dup::No);
}

TEST(PublishLine, knows_no_other_line) {
  CHECK(parse_publish_line("Client gw-1 received PUBLISH (d1, q1, r0, m517, 'a'", "gw").dup == Dup::Unknown);
  CHECK(parse_publish_line("Client gw-1 received PUBLISH (d1, q1", "gw-1").dup == Dup::Unknown);
  CHECK(parse_publish_line("Client gw-1 received PUBLISH (d2, q1, r0, m1, 'a'", "gw-1").dup == Dup::Unknown);
  CHECK(parse_publish_line("Client gw-1 received PUBLISH (d1, q1, r0, m65536, 'a'", "gw-1").dup == Dup::Unknown);
  CHECK(parse_publish_line("Client gw-1 received PUBACK (Mid: 1, RC:0)", "gw-1").dup == Dup::Unknown);
  CHECK(parse_publish_line("", "gw-1").dup == Dup::Unknown);
}

// ---- what the broker drops

TEST(MqttSource, makes_the_connection_anew_when_the_broker_has_dropped_messages) {
  spec.watch_drops = true;
  start();
  CHECK(agent->until([&] { return broker.count(Packet::Subscribe) == 2; }));
  publish("kept");
  CHECK(agent->until_delivered(1));
  broker.answer([](Answers& answers) { answers.session_present = true; });
  broker.publish({DropWatch::topic, "5"});
  agent->reactor.run_for(50);
  LONGS_EQUAL(1, broker.connections());
  broker.publish({DropWatch::topic, "9"});
  CHECK(agent->until([&] { return broker.connections() == 2 && agent->connected(); }));
  UNSIGNED_LONGS_EQUAL(4, agent->source.status().broker_dropped);
  UNSIGNED_LONGS_EQUAL(0, pubacks(0));
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.delivered.size());
}

TEST(MqttSource, leaves_the_brokers_own_topics_to_a_filter_that_asks_for_them) {
  spec.watch_drops = true;
  spec.topics = {"$SYS/broker/#"};
  start_subscribed();
  broker.publish({DropWatch::topic, "5"});
  CHECK(agent->until_delivered(1));
}

TEST_GROUP(DropWatch) {
  std::vector<std::string> filters{"sensors/+"};
  DropWatch watch{true, filters};
  bool observe(const char* text, int64_t boot_ms = 0) { return watch.observe(as_bytes(text), boot_ms); }
};

TEST(DropWatch, begins_with_the_count_that_it_finds) {
  CHECK_FALSE(observe("100"));
  CHECK_FALSE(observe("100"));
  CHECK(observe("101"));
  UNSIGNED_LONGS_EQUAL(1, watch.dropped());
}

TEST(DropWatch, reconnects_at_most_once_a_minute_and_counts_all_the_same) {
  observe("0");
  CHECK(observe("1", 1000));
  CHECK_FALSE(observe("2", 1000 + DropWatch::reconnect_pause_ms - 1));
  CHECK(observe("3", 1000 + DropWatch::reconnect_pause_ms));
  UNSIGNED_LONGS_EQUAL(3, watch.dropped());
}

TEST(DropWatch, takes_a_smaller_count_for_a_broker_that_was_restarted) {
  observe("50");
  CHECK_FALSE(observe("0"));
  CHECK(observe("2"));
  UNSIGNED_LONGS_EQUAL(2, watch.dropped());
}

TEST(DropWatch, does_not_take_text_for_a_count) {
  for (const char* text : {"", "x", "12 ", "-1", "99999999999999999999999"}) CHECK_FALSE(observe(text));
  CHECK_FALSE(observe("7"));
  UNSIGNED_LONGS_EQUAL(0, watch.dropped());
}
