// Savepoints with a real agent and a real broker: made while it works, brought back here and on another gateway, refused where
// they do not fit; and the ways to stop.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <map>

namespace {

using namespace weir;

class SavepointTest : public GatewayTest {
 public:
  std::unique_ptr<TestGateway> other;

  void teardown() override {
    if (other != nullptr && UtestShell::getCurrent()->hasFailed())
      printf("\n--- the other agent's log\n%s\n", other->agent().log().c_str());
    other.reset();
    GatewayTest::teardown();
  }

  static void publish_to(TestGateway& box, int from, int to) {
    for (int number = from; number < to; ++number) {
      const std::string payload =
          "{\"value\":" + std::to_string(number) + ",\"ts\":" + std::to_string(event_base_ms + number * 10) + "}";
      CHECK_TRUE(box.publish("sensors/d" + std::to_string(number % 3) + "/env", payload));
    }
  }
  std::string file() const { return gateway->directory().file("state.savepoint"); }
  int run(std::vector<std::string> words, const char* expected = "") {
    result_ = gateway->weir(std::move(words));
    const std::string said = result_.output + result_.error;
    STRCMP_CONTAINS(expected, said.c_str());
    return result_.end.exit_code;
  }
  void make_savepoint() {
    LONGS_EQUAL(0, run({"savepoint", "create", "--state-dir", gateway->state_dir(), "--to", file()}));
    LONGS_EQUAL(0, run({"savepoint", "verify", file()}, "per-second: sound"));
  }
  int restore(std::vector<std::string> more = {}, const char* expected = "") {
    more.insert(more.begin(), {"savepoint", "restore", file(), gateway->config_path()});
    return run(std::move(more), expected);
  }
  /// Keys and values, which are the same in a savepoint and in the directory that it was made of.
  std::string exported(const std::string& option, const std::string& path) {
    LONGS_EQUAL(0, run({"state", "export", option, path}));
    return result_.output;
  }
  /// "topic window_start" -> "n total"; a repeat must be equal.
  static void collect(TestGateway& box, std::map<std::string, std::string>& windows) {
    for (const ReceivedMessage& message : box.results()) {
      const std::string key = message.topic + " " + std::to_string(json_int(message.payload, "window_start").value_or(0));
      const std::string value = std::to_string(json_int(message.payload, "n").value_or(0)) + " " +
                                std::to_string(json_number(message.payload, "total").value_or(0));
      const auto [first, is_new] = windows.try_emplace(key, value);
      STRCMP_EQUAL(first->second.c_str(), value.c_str());
    }
  }

 private:
  ProcessResult result_;
};

/// The windows of readings 0 to `count`, computed here.
std::map<std::string, std::string> expected_windows(int count) {
  std::map<std::string, std::pair<int64_t, double>> sums;
  for (int number = 0; number < count; ++number) {
    auto& [n, total] =
        sums["results/d" + std::to_string(number % 3) + " " + std::to_string(event_base_ms + number / 100 * 1000)];
    ++n;
    total += number;
  }
  std::map<std::string, std::string> windows;
  for (const auto& [key, sum] : sums) windows[key] = std::to_string(sum.first) + " " + std::to_string(sum.second);
  return windows;
}

}  // namespace

TEST_GROUP_BASE(Savepoints, SavepointTest){};

TEST(Savepoints, taken_under_load_goes_on_at_another_gateway_where_this_one_stopped) {
  start();
  publish_to(*gateway, 0, 450);
  make_savepoint();
  publish_to(*gateway, 450, 650);
  CHECK_TRUE(gateway->wait_received(650));
  LONGS_EQUAL(0, run({"stop", "--state-dir", gateway->state_dir(), "--savepoint", "--to", file() + "-2"}, "stopped"));
  CHECK_TRUE(gateway->agent().process().wait(5'000).has_value());
  LONGS_EQUAL(0, run({"savepoint", "verify", file() + "-2"}));

  other = std::make_unique<TestGateway>(per_second_config);
  CHECK_TRUE(other->start_broker());
  other->write_config();
  LONGS_EQUAL(0, run({"savepoint", "restore", file() + "-2", other->config_path()}, "restored: per-second"));
  CHECK_TRUE(other->start_clients() && other->start_agent());
  publish_to(*other, 650, 900);
  publish_to(*other, 900, 1000);  // closes the windows before
  CHECK_TRUE(other->wait_received(1000));
  CHECK_TRUE(eventually(10'000, [&] { return other->results().size() >= 3 * 3; }));
  std::map<std::string, std::string> windows;
  collect(*gateway, windows);
  collect(*other, windows);
  for (const auto& [key, value] : expected_windows(900)) STRCMP_EQUAL(value.c_str(), windows[key].c_str());
}

TEST(Savepoints, holds_what_the_stopped_agent_holds) {
  start();
  publish_to(*gateway, 0, 250);
  CHECK_TRUE(gateway->wait_received(250));
  CHECK_TRUE(gateway->stop_agent());
  make_savepoint();
  const std::string there = exported("--state-dir", gateway->state_dir());
  STRCMP_CONTAINS("\"device\":\"d1\"", there.c_str());
  STRCMP_EQUAL(there.c_str(), exported("--savepoint", file()).c_str());
  LONGS_EQUAL(0, run({"savepoint", "show", file()}, "windows              window tumbling             6"));
  LONGS_EQUAL(0, run({"savepoint", "show", file(), "--json"}, "\"part\":\"windows\",\"kind\":\"window tumbling\",\"keys\":6"));
  LONGS_EQUAL(0, run({"savepoint", "show", file(), "--config-text"}, "aggregate = { n = \"count()\""));
}

TEST(Savepoints, goes_back_to_what_was_and_says_what_that_costs) {
  start();
  publish_to(*gateway, 0, 250);
  CHECK_TRUE(gateway->wait_received(250));
  make_savepoint();
  const std::string then = exported("--savepoint", file());
  publish_to(*gateway, 250, 350);
  CHECK_TRUE(gateway->wait_received(350));
  LONGS_EQUAL(75, restore({"--replace"}, "stop it first"));
  CHECK_TRUE(gateway->stop_agent());
  LONGS_EQUAL(1, restore({}, "--replace"));
  LONGS_EQUAL(0, restore({"--dry-run"}, "windows   match"));
  CHECK_FALSE(then == exported("--state-dir", gateway->state_dir()));
  LONGS_EQUAL(0, restore({"--replace"}, "had taken in 100 messages more"));
  STRCMP_EQUAL(then.c_str(), exported("--state-dir", gateway->state_dir()).c_str());
  CHECK_TRUE(gateway->start_agent());
  // Ids go on above all that were used, and nothing counts as lost.
  UNSIGNED_LONGS_EQUAL(0, gateway->pipeline().recovery.lost_newest_id);
  UNSIGNED_LONGS_EQUAL(250, gateway->pipeline().ledger.received);
  publish_to(*gateway, 250, 450);
  CHECK_TRUE(gateway->wait_received(450));
}

TEST(Savepoints, that_does_not_fit_the_configuration_touches_nothing) {
  start();
  publish_to(*gateway, 0, 250);
  make_savepoint();
  other = std::make_unique<TestGateway>(per_second_config);
  other->replace("tumbling = \"1s\"", "tumbling = \"2s\"");
  CHECK_TRUE(other->start_broker());
  other->write_config();
  LONGS_EQUAL(78, run({"savepoint", "restore", file(), other->config_path()}, "a start would be refused"));
  CHECK_FALSE(path_exists(other->state_dir()));
  LONGS_EQUAL(78, run({"check", other->config_path(), "--against", file()}, "a start would be refused"));
  LONGS_EQUAL(0, run({"check", gateway->config_path(), "--against", file()}, "its state goes back"));
}

TEST(Savepoints, damaged_or_foreign_files_are_refused_by_name) {
  start();
  publish_to(*gateway, 0, 250);
  make_savepoint();
  CHECK_TRUE(gateway->stop_agent());
  std::string bytes = read_whole_file(file());
  const size_t at = bytes.find("windows");
  CHECK_TRUE(at != std::string::npos);
  bytes[at] = 'W';
  const std::string damaged = gateway->directory().file("damaged.savepoint");
  CHECK_TRUE(write_whole_file(damaged, bytes).ok());
  LONGS_EQUAL(65, run({"savepoint", "verify", damaged}, "fails its CRC"));
  LONGS_EQUAL(65, run({"savepoint", "restore", damaged, gateway->config_path(), "--replace"}, "fails its CRC"));
  LONGS_EQUAL(65, run({"savepoint", "dispose", gateway->config_path()}, "the file is no database"));
  CHECK_TRUE(path_exists(gateway->config_path()));
  LONGS_EQUAL(1, run({"savepoint", "dispose", gateway->state_dir() + "/weir.db"}, "is a state database"));
  LONGS_EQUAL(0, run({"savepoint", "dispose", file()}, "deleted: "));
  CHECK_FALSE(path_exists(file()));
  LONGS_EQUAL(1, run({"savepoint", "verify", file()}, "there is no such file"));
}

TEST(Savepoints, without_a_name_gets_one_and_is_listed) {
  start();
  publish_to(*gateway, 0, 30);
  LONGS_EQUAL(0, run({"savepoint", "list", "--state-dir", gateway->state_dir()}, "no savepoints in "));
  LONGS_EQUAL(0, run({"savepoint", "create", gateway->config_path(), "--json"}, "\"pipeline\":\"per-second\",\"checkpoint\":"));
  LONGS_EQUAL(0, run({"savepoint", "create", gateway->config_path(), "--pipeline", "per-second"}, "30 messages"));
  LONGS_EQUAL(0, run({"savepoint", "list", gateway->config_path(), "--json"}, "\"pipelines\":[\"per-second\"],\"error\":\"\""));
  LONGS_EQUAL(1, run({"savepoint", "create", gateway->config_path(), "--pipeline", "nobody"}, "nobody"));
}

TEST(Savepoints, a_drained_pipeline_hands_over_its_windows_and_has_ended_for_good) {
  start();
  publish_to(*gateway, 0, 250);
  CHECK_TRUE(gateway->wait_received(250));
  make_savepoint();
  LONGS_EQUAL(0, run({"stop", "--state-dir", gateway->state_dir(), "--drain"}, "stopped"));
  CHECK_TRUE(gateway->agent().process().wait(5'000).has_value());
  CHECK_TRUE(gateway->wait_results(9));
  std::map<std::string, std::string> windows;
  collect(*gateway, windows);
  CHECK_TRUE(windows == expected_windows(250));
  LONGS_EQUAL(78, run({"check", gateway->config_path(), "--against", gateway->state_dir()}, "it was drained"));
  CHECK_TRUE(gateway->agent().start().ok());
  const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
  LONGS_EQUAL(78, end ? end->exit_code : -1);
  STRCMP_CONTAINS("it was drained", gateway->agent().log().c_str());
  // Both ways out.
  LONGS_EQUAL(0, restore({"--replace"}));
  CHECK_TRUE(gateway->start_agent());
  UNSIGNED_LONGS_EQUAL(250, gateway->pipeline().ledger.received);
  CHECK_TRUE(gateway->stop_agent());
  LONGS_EQUAL(0, run({"state", "drop", "--state-dir", gateway->state_dir(), "--pipeline", "per-second", "--all"}));
  CHECK_TRUE(gateway->start_agent());
  UNSIGNED_LONGS_EQUAL(0, gateway->pipeline().ledger.received);
}

TEST(Savepoints, of_a_pipeline_with_a_journal_takes_the_input_since_from_there) {
  std::string config = per_second_config;
  config.insert(config.find("  topics = "),
                "  ack = \"journal\"\n  max_message = \"4KiB\"\n  journal = { size = \"1MiB\", linger = \"10ms\" }\n");
  start(config);
  publish_to(*gateway, 0, 250);
  CHECK_TRUE(gateway->wait_received(250));
  make_savepoint();
  publish_to(*gateway, 250, 350);
  CHECK_TRUE(gateway->wait_received(350));
  CHECK_TRUE(gateway->stop_agent());
  const std::string newest = exported("--state-dir", gateway->state_dir());
  LONGS_EQUAL(0, restore({"--replace"}));
  CHECK_TRUE(gateway->start_agent());
  CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline().ledger.received == 350; }));
  CHECK_TRUE(gateway->stop_agent());
  STRCMP_EQUAL(newest.c_str(), exported("--state-dir", gateway->state_dir()).c_str());
  // Elsewhere there is no such journal: it goes on behind the savepoint.
  other = std::make_unique<TestGateway>(config);
  CHECK_TRUE(other->start_broker());
  other->write_config();
  LONGS_EQUAL(0, run({"savepoint", "restore", file(), other->config_path()}));
  CHECK_TRUE(other->start_clients() && other->start_agent());
  publish_to(*other, 250, 350);
  CHECK_TRUE(other->wait_received(350));
  CHECK_TRUE(other->stop_agent());
  STRCMP_EQUAL(newest.c_str(), exported("--state-dir", other->state_dir()).c_str());
}

TEST(Savepoints, stopping_says_when_there_is_nothing_to_stop) {
  start();
  CHECK_TRUE(gateway->stop_agent());
  LONGS_EQUAL(1, run({"stop", "--state-dir", gateway->state_dir()}, "no agent is running there"));
}
