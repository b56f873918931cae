// Input that is acknowledged by the journal: crashes, a checkpoint that is damaged, QoS 0, and recorded input against another
// configuration, with a real broker and a real agent.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <sqlite3.h>

#include <map>

namespace {

using namespace weir;

class JournalTest : public GatewayTest {
 public:
  static constexpr int messages = 1200;
  static constexpr const char* source_begin = "  topics = ";
  static constexpr const char* journal_options =
      "  ack = \"journal\"\n  max_message = \"4KiB\"\n  journal = { size = \"1MiB\", linger = \"10ms\" }\n";

  /// No checkpoint comes by itself, but the one that a first start begins with.
  static std::string config(const std::string& source = "") {
    std::string text = per_second_config;
    const std::string usual = "interval = \"30ms\", min_pause = \"1ms\"";
    text.replace(text.find(usual), usual.size(), "interval = \"1h\", min_pause = \"1ms\"");
    const std::string source_begin = "  topics = ";
    return text.insert(
        text.find(source_begin),
        "  ack = \"journal\"\n  max_message = \"4KiB\"\n  journal = { size = \"1MiB\", linger = \"10ms\" }\n" + source);
  }
  void publish_numbered(int from, int to, int qos = 1) {
    for (int number = from; number < to; ++number) {
      const std::string payload =
          "{\"value\":" + std::to_string(number) + ",\"ts\":" + std::to_string(event_base_ms + number * 10) + "}";
      CHECK_TRUE(gateway->publish("sensors/d" + std::to_string(number % 3) + "/env", payload, qos));
    }
  }
  void take_checkpoint() { LONGS_EQUAL(0, gateway->weir({"checkpoint", "--state-dir", gateway->state_dir()}).end.exit_code); }
  std::string status_text() { return gateway->weir({"status", "--state-dir", gateway->state_dir()}).output; }
  std::string log_of_start() {
    const std::string before = gateway->agent().log();
    CHECK_TRUE(gateway->start_agent());
    return gateway->agent().log().substr(before.size());
  }
  /// Twelve seconds of three devices: each window once, whole, and equal in its repeats.
  void check_results() {
    publish_closer();
    take_checkpoint();
    const size_t windows = size_t{3} * messages / 100;
    CHECK_TRUE(gateway->wait_results(windows));
    std::map<std::pair<std::string, int64_t>, std::string> seen;
    int64_t records = 0;
    for (const ReceivedMessage& result : gateway->results()) {
      const auto key = std::pair(result.topic, json_int(result.payload, "window_start").value_or(0));
      const auto [first, is_new] = seen.try_emplace(key, result.payload + result.weir_id);
      STRCMP_EQUAL(first->second.c_str(), (result.payload + result.weir_id).c_str());
      if (is_new) records += json_int(result.payload, "n").value_or(0);
    }
    UNSIGNED_LONGS_EQUAL(windows, seen.size());
    LONGS_EQUAL(messages, records);
    const ObservedPipeline pipeline = gateway->pipeline();
    LONGS_EQUAL(0, pipeline.ledger.imbalance());
    UNSIGNED_LONGS_EQUAL(messages + 1, pipeline.ledger.applied);
    UNSIGNED_LONGS_EQUAL(0, pipeline.ledger.session_lost);
  }
  void publish_closer() {
    measure("closer", 0, messages * 10 + 10'000);
    CHECK_TRUE(gateway->wait_received(messages + 1));
  }
  void damage_newest_checkpoint() {
    sqlite3* database = nullptr;
    LONGS_EQUAL(SQLITE_OK, sqlite3_open((gateway->state_dir() + "/weir.db").c_str(), &database));
    LONGS_EQUAL(SQLITE_OK, sqlite3_exec(database,
                                        "UPDATE opstate SET bytes = x'5A' || substr(bytes, 2) WHERE id = (SELECT max(id) FROM "
                                        "opstate)",
                                        nullptr, nullptr, nullptr));
    LONGS_EQUAL(1, sqlite3_changes(database));
    sqlite3_close(database);
  }
};

TEST_GROUP_BASE(Journal, JournalTest){};

TEST(Journal, brings_back_everything_that_was_acknowledged_since_the_last_checkpoint) {
  start(config());
  publish_numbered(0, 500);
  CHECK_TRUE(gateway->wait_received(500));
  gateway->crash();
  STRCMP_CONTAINS("500 messages are replayed from the journal", log_of_start().c_str());
  STRCMP_CONTAINS("500 messages were replayed at the start", status_text().c_str());
  publish_numbered(500, messages);
  crash_and_restart();
  CHECK_TRUE(gateway->wait_received(messages));
  crash_and_restart();
  check_results();
}

TEST(Journal, replays_from_the_checkpoint_before_when_the_newest_is_damaged) {
  start(config());
  publish_numbered(0, 400);
  CHECK_TRUE(gateway->wait_received(400));
  take_checkpoint();
  publish_numbered(400, 700);
  CHECK_TRUE(gateway->wait_received(700));
  take_checkpoint();
  publish_numbered(700, messages);
  CHECK_TRUE(gateway->wait_received(messages));
  gateway->crash();
  damage_newest_checkpoint();
  const std::string log = log_of_start();
  STRCMP_CONTAINS("The 300 messages between the two (offsets 401 to 700) are replayed from the journal", log.c_str());
  STRCMP_CONTAINS("800 messages are replayed from the journal before new ones", log.c_str());
  LONGS_EQUAL(0, gateway->pipeline().recovery.lost_messages);
  check_results();
}

TEST(Journal, goes_round_while_checkpoints_that_it_asks_for_make_room) {
  start(config());
  // Groups of a block at least: several laps of 256 blocks.
  const std::string filler(3000, ' ');
  for (int number = 0; number < messages; ++number) {
    const std::string payload = "{\"value\":1" + filler + ",\"ts\":" + std::to_string(event_base_ms + number * 10) + "}";
    CHECK_TRUE(gateway->publish("sensors/d" + std::to_string(number % 3) + "/env", payload));
  }
  CHECK_TRUE(gateway->wait_received(messages));
  STRCMP_EQUAL("journal", gateway->pipeline().checkpoint.last_reason.c_str());
  crash_and_restart();
  check_results();
}

TEST(Journal, keeps_what_came_at_qos_0_once_its_group_is_durable) {
  prepare(config("  qos = 0\n"));
  CHECK_TRUE(gateway->start_broker() && gateway->start_clients());
  gateway->write_config();
  CHECK_TRUE(gateway->agent().start_ready().ok() && gateway->agent().wait_connected());
  const auto subscribed = [this] {
    return gateway->broker().log().find("box-per-second 0 sensors/+/env") != std::string::npos;
  };
  CHECK_TRUE(eventually(10'000, subscribed));
  publish_numbered(0, messages, 0);
  CHECK_TRUE(gateway->wait_received(messages));
  gateway->crash();
  const std::string before = gateway->agent().log();
  CHECK_TRUE(gateway->agent().start_ready().ok() && gateway->agent().wait_connected());
  STRCMP_CONTAINS("1200 messages are replayed from the journal", gateway->agent().log().substr(before.size()).c_str());
  UNSIGNED_LONGS_EQUAL(messages, gateway->pipeline().ledger.applied);
  check_results();
}

TEST(Journal, recorded_input_runs_through_another_configuration_while_the_agent_runs) {
  start(config());
  publish_numbered(0, 600);
  CHECK_TRUE(gateway->wait_received(600));
  std::string other = config();
  const std::string windows = "window = { tumbling = \"1s\" }";
  other.replace(other.find(windows), windows.size(), "window = { tumbling = \"3s\" }");
  other.replace(other.find("@STATE@"), 7, "/nowhere");
  other.replace(other.find("@BROKER@"), 8, "mqtt://127.0.0.1:1");
  const std::string path = gateway->directory().file("other.toml");
  CHECK_TRUE(write_whole_file(path, other).ok());
  const auto replay = [&](const std::string& from) {
    return gateway->weir({"replay", "--journal", gateway->state_dir(), "--from", from, "--config", path});
  };
  const ProcessResult hour = replay("-1h");
  LONGS_EQUAL_TEXT(0, hour.end.exit_code, hour.output.c_str());
  STRCMP_CONTAINS("\"device\":\"d0\",\"n\":100,", hour.output.c_str());
  sleep_ms(30);
  STRCMP_EQUAL("", replay("-10ms").output.c_str());
  UNSIGNED_LONGS_EQUAL(600, gateway->pipeline().ledger.applied);
  LONGS_EQUAL(66, gateway->weir({"replay", "--journal", gateway->directory().path(), "--config", path}).end.exit_code);
  LONGS_EQUAL(64, replay("-1x").end.exit_code);
  LONGS_EQUAL(64, gateway->weir({"replay", "--from", "-1h", "--config", path}).end.exit_code);
}

TEST(Journal, is_left_behind_by_a_clean_stop_only) {
  start(config());
  publish_numbered(0, 600);
  CHECK_TRUE(gateway->wait_received(600));
  gateway->crash();
  gateway->replace(journal_options, "");
  gateway->write_config();
  CHECK_TRUE(gateway->agent().start().ok());
  const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
  CHECK_TRUE(end.has_value() && end->exit_code == 78);
  STRCMP_CONTAINS("start once with ack = \"journal\" and stop", gateway->agent().log().c_str());
  gateway->replace(source_begin, std::string(journal_options) + source_begin);
  CHECK_TRUE(gateway->start_agent());
  CHECK_TRUE(gateway->stop_agent());
  gateway->replace(journal_options, "");
  gateway->replace("interval = \"1h\"", "interval = \"30ms\"");
  CHECK_TRUE(gateway->start_agent());
  publish_numbered(600, messages);
  check_results();
}

}  // namespace
