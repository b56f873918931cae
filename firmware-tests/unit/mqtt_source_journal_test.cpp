// An MqttSource with a journal: when it acknowledges, what it replays, and what becomes of redeliveries.
#include <csignal>

#include "connectors/mqtt/mqtt_source.h"
#include "firmware-tests/support/fake_broker.h"
#include "firmware-tests/support/mqtt_rig.h"
#include "firmware-tests/support/simulated_file.h"
#include "firmware-tests/support/step_worker.h"
#include "storage/journal.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr uint64_t source_ring = 64 * journal_block_bytes;

class JournalPipeline final : public SourceHandler {
 public:
  bool ready() const override { return is_ready && inner.delivered.size() < limit; }
  void on_message(const Message& message, Now now) override {
    arrivals.push_back(message.arrival_ms);
    inner.on_message(message, now);
  }
  void on_duplicate(Now now) override { inner.on_duplicate(now); }
  void on_refused(const Message& message, const char* reason, std::string_view detail, Now now) override {
    inner.on_refused(message, reason, detail, now);
  }
  void on_session_lost(bool expected, Now now) override { inner.on_session_lost(expected, now); }
  void want_checkpoint(CheckpointReason reason, Now) override { wanted.push_back(reason); }
  void on_source_failed(Status status, Now) override { failure = status; }

  bool is_ready = true;
  size_t limit = SIZE_MAX;
  TestPipeline inner;
  std::vector<int64_t> arrivals;
  std::vector<CheckpointReason> wanted;
  Status failure;
};

struct JournalAgent {
  JournalAgent(const MqttSourceSpec& spec, SimulatedDisk* disk) : source(spec, arena, make(spec, disk)) {}

  std::unique_ptr<Journal> make(const MqttSourceSpec& spec, SimulatedDisk* disk) {
    if (disk == nullptr) return nullptr;
    return std::make_unique<RingJournal>(
        JournalOptions{.name = "test",
                       .state_dir = "",
                       .ring_bytes = source_ring,
                       .record_bytes_max = journal_record_bytes + topic_bytes_max + spec.max_message},
        [disk](uint64_t bytes, bool) {
          return Result<std::unique_ptr<BlockFile>>(std::make_unique<SimulatedFile>(*disk, bytes));
        },
        &worker, arena);
  }
  void turn() { source.on_turn(reactor.now()); }

  Arena arena{16 << 20};
  TestReactor reactor;
  StepWorker worker;
  JournalPipeline pipeline;
  MqttSource source;
};

}  // namespace

TEST_GROUP(MqttSourceJournal) {
  FakeBroker broker;
  MqttSourceSpec spec;
  SimulatedDisk disk{source_ring};
  TestCheckpoints checkpoints;
  std::unique_ptr<JournalAgent> agent;
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
    spec.max_unacked = 100;
    spec.journaling.linger_ms = 1'000'000;  // a test says when
    spec.journaling.messages_max = 50;
  }

  Status open() {
    agent = std::make_unique<JournalAgent>(spec, &disk);
    return checkpoints.restore(agent->source);
  }
  bool connected() { return agent->source.status().connected; }
  void begin() { CHECK(agent->source.start(agent->reactor, agent->pipeline, agent->reactor.now()).ok()); }
  /// A first start, up to the subscription.
  void start() {
    CHECK(open().ok());
    begin();
    agent->worker.run(agent->reactor.now());
    checkpoint();
    CHECK(agent->reactor.run_until([&] { return connected(); }));
    CHECK(agent->reactor.run_until([&] { return broker.count(Packet::Subscribe) == 1; }));
    agent->reactor.run_for(20);
  }
  void crash() {
    agent.reset();
    disk.process_restarts();
    broker.answer([](Answers& answers) { answers.session_present = true; });
  }
  void restart() {
    CHECK(open().ok());
    begin();
    agent->worker.run(agent->reactor.now());
    CHECK(agent->reactor.run_until([&] { return connected(); }));
    agent->reactor.run_for(20);
  }
  void publish(const std::string& payload) { broker.publish({"sensors/a", payload, next_mid++}); }
  void redeliver(uint16_t mid, const std::string& payload) { broker.publish({"sensors/a", payload, mid, true}); }
  bool until_delivered(size_t count) {
    return agent->reactor.run_until([&] { return agent->pipeline.inner.delivered.size() >= count; }) &&
           agent->pipeline.inner.delivered.size() == count;
  }
  bool until_duplicates(size_t count) {
    return agent->reactor.run_until([&] { return agent->pipeline.inner.duplicates == count; });
  }
  /// The linger is over.
  void close_group() {
    agent->reactor.let_pass(spec.journaling.linger_ms);
    agent->turn();
    CHECK_FALSE(agent->worker.idle());
  }
  void make_durable() {
    close_group();
    agent->worker.run(agent->reactor.now());
  }
  void checkpoint() {
    while (!agent->source.prepare_checkpoint(agent->reactor.now())) agent->worker.run(agent->reactor.now());
    checkpoints.checkpoint(agent->source);
  }
  size_t pubacks(int connection = 0) { return broker.count(Packet::Puback, connection); }
  bool until_pubacks(size_t count, int connection = 0) {
    return agent->reactor.run_until([&] { return pubacks(connection) >= count; }) && pubacks(connection) == count;
  }
};

// ---- acknowledgements

TEST(MqttSourceJournal, acknowledges_when_the_group_is_durable_without_any_checkpoint) {
  start();
  for (int number = 0; number < 3; ++number) publish("m" + std::to_string(number));
  CHECK(until_delivered(3));
  agent->reactor.run_for(60);
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  UNSIGNED_LONGS_EQUAL(3, agent->source.status().unacknowledged);
  close_group();
  agent->reactor.run_for(60);
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  agent->worker.run(agent->reactor.now());
  CHECK(until_pubacks(3));
  UNSIGNED_LONGS_EQUAL(0, agent->source.status().unacknowledged);
}

TEST(MqttSourceJournal, reads_nothing_while_a_group_is_written) {
  start();
  publish("one");
  CHECK(until_delivered(1));
  close_group();
  publish("two");
  agent->reactor.run_for(60);
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.inner.delivered.size());
  agent->worker.run(agent->reactor.now());
  CHECK(until_delivered(2));
  CHECK(until_pubacks(1));
}

TEST(MqttSourceJournal, half_a_window_that_waits_is_a_group) {
  start();
  for (int number = 0; number < 49; ++number) publish("m" + std::to_string(number));
  CHECK(until_delivered(49));
  CHECK(agent->worker.idle());
  publish("the fiftieth");
  CHECK(until_delivered(50));
  CHECK_FALSE(agent->worker.idle());
}

TEST(MqttSourceJournal, the_linger_is_counted_from_the_oldest_message) {
  spec.journaling.linger_ms = 100'000;
  start();
  publish("one");
  CHECK(until_delivered(1));
  agent->reactor.let_pass(60'000);
  publish("two");
  CHECK(until_delivered(2));
  agent->turn();
  CHECK(agent->worker.idle());
  CHECK(agent->source.next_deadline_boot_ms() <= agent->reactor.now().boot_ms + 40'000);
  agent->reactor.let_pass(40'000);
  agent->turn();
  CHECK_FALSE(agent->worker.idle());
}

TEST(MqttSourceJournal, a_group_that_cannot_be_written_ends_it_and_nothing_is_acknowledged) {
  start();
  publish("one");
  CHECK(until_delivered(1));
  disk.cut_power_at(1);
  make_durable();
  agent->reactor.run_for(60);
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  LONGS_EQUAL(static_cast<int>(Code::Io), static_cast<int>(agent->pipeline.failure.code()));
}

TEST(MqttSourceJournal, a_full_disk_holds_the_acknowledgements_until_there_is_room) {
  start();
  publish("one");
  CHECK(until_delivered(1));
  disk.full = true;
  make_durable();
  agent->reactor.run_for(60);
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  CHECK(agent->pipeline.failure.ok());
  agent->turn();
  CHECK(agent->worker.idle());  // not at once
  disk.full = false;
  agent->reactor.let_pass(1000);
  agent->turn();
  agent->worker.run(agent->reactor.now());
  CHECK(until_pubacks(1));
}

// ---- checkpoints

TEST(MqttSourceJournal, a_checkpoint_waits_until_everything_that_it_covers_is_durable) {
  start();
  publish("one");
  CHECK(until_delivered(1));
  CHECK_FALSE(agent->source.prepare_checkpoint(agent->reactor.now()));
  publish("two");
  agent->reactor.run_for(60);
  agent->worker.run(agent->reactor.now());
  CHECK(until_pubacks(1));
  // Nothing comes in between.
  agent->reactor.run_for(60);
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.inner.delivered.size());
  agent->turn();
  CHECK(agent->source.prepare_checkpoint(agent->reactor.now()));
  checkpoints.checkpoint(agent->source);
  CHECK(until_delivered(2));
}

TEST(MqttSourceJournal, a_checkpoint_that_is_not_taken_after_all_holds_nothing_up) {
  start();
  publish("one");
  CHECK(until_delivered(1));
  CHECK_FALSE(agent->source.prepare_checkpoint(agent->reactor.now()));
  agent->worker.run(agent->reactor.now());
  publish("two");
  for (int turn = 0; turn < 3; ++turn) agent->turn();
  CHECK(until_delivered(2));
}

TEST(MqttSourceJournal, connects_only_once_a_checkpoint_holds_a_place) {
  CHECK(open().ok());
  begin();
  agent->worker.run(agent->reactor.now());
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.wanted.size());
  agent->reactor.run_for(60);
  LONGS_EQUAL(0, broker.connections());
  checkpoint();
  CHECK(agent->reactor.run_until([&] { return connected(); }));
}

TEST(MqttSourceJournal, asks_for_a_checkpoint_before_the_ring_is_full) {
  start();
  size_t groups = 0;
  while (agent->pipeline.wanted.size() < 2 && groups < 64) {
    publish("m");
    CHECK(until_delivered(++groups));
    make_durable();
  }
  // A quarter of the 64 blocks, for two checkpoints are retained.
  UNSIGNED_LONGS_EQUAL(16, groups);
  CHECK(agent->pipeline.wanted[1] == CheckpointReason::JournalFull);
  checkpoint();
  publish("more");
  CHECK(until_delivered(groups + 1));
}

TEST(MqttSourceJournal, many_retained_checkpoints_in_a_small_ring_never_block_it_for_good) {
  spec.journaling.checkpoints_retained = 16;
  start();
  size_t taken = agent->pipeline.wanted.size();
  for (size_t group = 1; group <= 200; ++group) {
    publish("m");
    const auto delivered = [&] {
      agent->turn();
      // As the pipeline does: what was asked for is taken.
      for (; taken < agent->pipeline.wanted.size(); ++taken) checkpoint();
      return agent->pipeline.inner.delivered.size() == group;
    };
    CHECK(agent->reactor.run_until(delivered));
    make_durable();
  }
  CHECK(taken > 16);
}

// ---- starts

TEST(MqttSourceJournal, replays_what_follows_the_checkpoint_with_its_arrival_and_then_goes_on) {
  start();
  publish("before");
  CHECK(until_delivered(1));
  checkpoint();
  publish("first");
  publish("second");
  CHECK(until_delivered(3));
  const std::vector<int64_t> arrivals = agent->pipeline.arrivals;
  make_durable();
  CHECK(until_pubacks(3));
  crash();
  agent.reset();
  restart();
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.inner.delivered.size());
  STRCMP_EQUAL("first", agent->pipeline.inner.delivered[0].payload.c_str());
  STRCMP_EQUAL("sensors/a", agent->pipeline.inner.delivered[0].topic.c_str());
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.inner.delivered[0].offset);
  LONGS_EQUAL(arrivals[1], agent->pipeline.arrivals[0]);
  UNSIGNED_LONGS_EQUAL(2, agent->source.status().journal.replayed);
  publish("third");
  CHECK(until_delivered(3));
  UNSIGNED_LONGS_EQUAL(4, agent->pipeline.inner.delivered[2].offset);
}

TEST(MqttSourceJournal, drops_what_was_durable_but_not_acknowledged_when_it_comes_again) {
  start();
  publish("one");
  publish("two");
  CHECK(until_delivered(2));
  close_group();
  agent->worker.work_only();  // the process dies before it learns of it
  crash();
  restart();
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.inner.delivered.size());
  redeliver(1, "one");
  redeliver(2, "two");
  publish("three");
  CHECK(until_delivered(3));
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.inner.duplicates);
  make_durable();
  CHECK(until_pubacks(3, 2));
}

TEST(MqttSourceJournal, takes_what_was_not_durable_when_it_comes_again) {
  start();
  publish("one");
  CHECK(until_delivered(1));
  crash();
  restart();
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.inner.delivered.size());
  redeliver(1, "one");
  CHECK(until_delivered(1));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.inner.duplicates);
}

TEST(MqttSourceJournal, drops_redeliveries_of_what_the_checkpoint_covers) {
  start();
  publish("one");
  CHECK(until_delivered(1));
  checkpoint();
  crash();
  restart();
  redeliver(1, "one");
  CHECK(until_duplicates(1));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.inner.delivered.size());
  CHECK(until_pubacks(1, 2));  // nothing undurable stands in front of it
}

TEST(MqttSourceJournal, a_redelivery_of_what_is_not_durable_yet_is_not_acknowledged_before_it_is) {
  start();
  publish("zero");
  CHECK(until_delivered(1));
  make_durable();
  publish("one");
  CHECK(until_delivered(2));
  broker.answer([](Answers& answers) { answers.session_present = true; });
  broker.close_connection();
  CHECK(agent->reactor.run_until([&] { return broker.connections() == 2 && connected(); }));
  redeliver(2, "one");
  CHECK(until_duplicates(1));
  agent->reactor.run_for(60);
  UNSIGNED_LONGS_EQUAL(0, pubacks(2));
  make_durable();
  CHECK(until_pubacks(1, 2));
}

TEST(MqttSourceJournal, a_checkpoint_in_the_middle_of_a_batch_replays_the_rest_of_it_only) {
  start();
  for (int number = 1; number <= 6; ++number) publish("m" + std::to_string(number));
  CHECK(until_delivered(6));
  make_durable();
  CHECK(until_pubacks(6));
  crash();
  CHECK(open().ok());
  agent->pipeline.limit = 4;
  begin();
  agent->worker.run(agent->reactor.now());
  UNSIGNED_LONGS_EQUAL(4, agent->pipeline.inner.delivered.size());
  checkpoint();
  crash();
  restart();
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.inner.delivered.size());
  STRCMP_EQUAL("m5", agent->pipeline.inner.delivered[0].payload.c_str());
}

TEST(MqttSourceJournal, a_handler_that_is_not_ready_stops_the_replay_until_it_is) {
  start();
  for (int number = 1; number <= 3; ++number) publish("m" + std::to_string(number));
  CHECK(until_delivered(3));
  make_durable();
  CHECK(until_pubacks(3));
  crash();
  CHECK(open().ok());
  agent->pipeline.limit = 1;
  begin();
  agent->worker.run(agent->reactor.now());
  agent->reactor.run_for(60);
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.inner.delivered.size());
  LONGS_EQUAL(1, broker.connections());
  agent->pipeline.limit = SIZE_MAX;
  agent->source.resume(agent->reactor.now());
  agent->worker.run(agent->reactor.now());
  UNSIGNED_LONGS_EQUAL(3, agent->pipeline.inner.delivered.size());
  CHECK(agent->reactor.run_until([&] { return connected(); }));
}

TEST(MqttSourceJournal, records_qos_0_as_well) {
  spec.qos = 0;
  start();
  broker.publish({"sensors/a", "plain", 0, false, 0});
  CHECK(until_delivered(1));
  make_durable();
  UNSIGNED_LONGS_EQUAL(0, pubacks());
  crash();
  restart();
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.inner.delivered.size());
  STRCMP_EQUAL("plain", agent->pipeline.inner.delivered[0].payload.c_str());
}

TEST(MqttSourceJournal, refuses_again_what_it_has_refused_with_the_same_words) {
  start();
  publish(std::string(101, 'x'));
  CHECK(agent->reactor.run_until([&] { return agent->pipeline.inner.refused.size() == 1; }));
  const Delivered first = agent->pipeline.inner.refused[0];
  make_durable();
  CHECK(until_pubacks(1));
  crash();
  restart();
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.inner.refused.size());
  STRCMP_EQUAL(first.reason.c_str(), agent->pipeline.inner.refused[0].reason.c_str());
  STRCMP_EQUAL(first.detail.c_str(), agent->pipeline.inner.refused[0].detail.c_str());
  STRCMP_EQUAL(first.payload.c_str(), agent->pipeline.inner.refused[0].payload.c_str());
  redeliver(1, std::string(101, 'x'));
  CHECK(until_duplicates(1));
}

TEST(MqttSourceJournal, a_session_that_was_lost_between_makes_equal_deliveries_new_ones) {
  start();
  publish("same");
  CHECK(until_delivered(1));
  make_durable();
  CHECK(until_pubacks(1));
  // The broker forgets; the agent notes it in the journal and takes a checkpoint, which the next crash finds gone.
  const TestCheckpoints older = checkpoints;
  broker.answer([](Answers& answers) { answers.session_present = false; });
  broker.close_connection();
  CHECK(agent->reactor.run_until([&] { return broker.connections() == 2 && connected(); }));
  checkpoint();
  checkpoints = older;
  crash();
  restart();
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.inner.delivered.size());
  redeliver(1, "same");
  CHECK(until_delivered(2));
  UNSIGNED_LONGS_EQUAL(0, agent->pipeline.inner.duplicates);
}

// ---- back to checkpoints

TEST(MqttSourceJournal, without_the_journal_a_crash_of_the_journaled_run_is_refused) {
  start();
  publish("one");
  CHECK(until_delivered(1));
  make_durable();
  checkpoint();
  crash();
  agent = std::make_unique<JournalAgent>(spec, nullptr);
  LONGS_EQUAL(static_cast<int>(Code::Incompatible), static_cast<int>(checkpoints.restore(agent->source).code()));
}

TEST(MqttSourceJournal, without_the_journal_a_clean_stop_of_the_journaled_run_is_taken_over) {
  start();
  publish("one");
  CHECK(until_delivered(1));
  make_durable();
  agent->source.stop(agent->reactor.now());
  checkpoint();
  crash();
  agent = std::make_unique<JournalAgent>(spec, nullptr);
  CHECK(checkpoints.restore(agent->source).ok());
  UNSIGNED_LONGS_EQUAL(1, agent->source.status().offset);
}

TEST(MqttSourceJournal, a_start_after_a_clean_stop_takes_a_checkpoint_before_anything_follows) {
  start();
  publish("one");
  CHECK(until_delivered(1));
  make_durable();
  agent->source.stop(agent->reactor.now());
  checkpoint();
  crash();
  CHECK(open().ok());
  begin();
  agent->worker.run(agent->reactor.now());
  UNSIGNED_LONGS_EQUAL(1, agent->pipeline.wanted.size());
  agent->reactor.run_for(60);
  CHECK_FALSE(connected());
  checkpoint();
  CHECK(agent->reactor.run_until([&] { return connected(); }));
  publish("two");
  CHECK(until_delivered(1));
  make_durable();
  CHECK(until_pubacks(1, 2));
  crash();
  agent = std::make_unique<JournalAgent>(spec, nullptr);
  LONGS_EQUAL(static_cast<int>(Code::Incompatible), static_cast<int>(checkpoints.restore(agent->source).code()));
}

TEST(MqttSourceJournal, state_without_a_place_begins_a_journal) {
  agent = std::make_unique<JournalAgent>(spec, nullptr);
  CHECK(checkpoints.restore(agent->source).ok());
  begin();
  CHECK(agent->reactor.run_until([&] { return connected(); }));
  publish("one");
  CHECK(until_delivered(1));
  checkpoints.checkpoint(agent->source);
  crash();
  CHECK(open().ok());
  begin();
  agent->worker.run(agent->reactor.now());
  checkpoint();
  CHECK(agent->reactor.run_until([&] { return connected(); }));
  publish("two");
  CHECK(until_delivered(1));
  UNSIGNED_LONGS_EQUAL(2, agent->pipeline.inner.delivered[0].offset);
}

TEST(MqttSourceJournal, a_list_of_places_that_is_cut_short_is_damage) {
  ByteReader nothing;
  bool follows = false;
  CHECK_FALSE(Journaling::decode_follows(nothing, follows));
  const uint8_t short_list[] = {0, 2, 1, 2, 3};
  ByteReader in(short_list);
  CHECK_FALSE(Journaling::decode_follows(in, follows));
}
