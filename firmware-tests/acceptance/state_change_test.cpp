// An agent is stopped, its configuration changed, and it is started again: what is stored goes over into the new configuration,
// or the start is refused with the same words that `weir check --against` has for it.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <sqlite3.h>

namespace {

using namespace weir;

class StateChangeTest : public GatewayTest {
 public:
  uint64_t sent = 0;

  void send(const std::string& device, double value, int64_t at_ms) {
    measure(device, value, at_ms);
    ++sent;
  }
  /// Two readings of one window that stays open.
  void stop_with_an_open_window(const std::string& config = per_second_config) {
    start(config);
    send("d1", 5, 100);
    send("d1", 7, 200);
    CHECK_TRUE(gateway->wait_received(sent));
    CHECK_TRUE(gateway->stop_agent());
  }
  void change(const char* from, const char* to) {
    gateway->replace(from, to);
    gateway->write_config();
  }
  void restart() { CHECK_TRUE_TEXT(gateway->start_agent(), "the agent did not start with what is stored"); }
  /// A third reading, and one that closes the window; the result.
  std::string result_of_window() {
    send("d1", 6, 300);
    send("d1", 1, 5000);
    CHECK_TRUE(gateway->wait_results(1));
    const std::vector<ReceivedMessage> results = gateway->results();
    return results.empty() ? "" : results.front().payload;
  }
  ProcessResult check_against(const char* more = nullptr) {
    std::vector<std::string> words = {"check", gateway->config_path(), "--against", gateway->state_dir()};
    if (more != nullptr) words.emplace_back(more);
    return gateway->weir(words);
  }
  std::string state(std::vector<std::string> words) {
    words.insert(words.begin(), "state");
    words.insert(words.end(), {"--state-dir", gateway->state_dir()});
    const ProcessResult result = gateway->weir(words);
    LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
    return result.output;
  }
  std::string log_of_refusal() {
    const std::string before = gateway->agent().log();
    CHECK_TRUE(gateway->agent().start().ok());
    const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
    CHECK_TRUE_TEXT(end.has_value(), "the agent runs on");
    if (end) LONGS_EQUAL(78, end->exit_code);
    return gateway->agent().log().substr(before.size());
  }
};

TEST_GROUP_BASE(StateChange, StateChangeTest){};

TEST(StateChange, aggregates_are_added_and_removed_in_an_open_window) {
  stop_with_an_open_window();
  change("low = \"min(value)\", ", "first = \"first(value)\", ");
  const ProcessResult check = check_against();
  LONGS_EQUAL(0, check.end.exit_code);
  STRCMP_CONTAINS("converted", check.output.c_str());
  STRCMP_CONTAINS("aggregate first: new, begins empty; aggregate low: gone", check.output.c_str());
  restart();
  const std::string result = result_of_window();
  LONGS_EQUAL(3, json_int(result, "n").value_or(-1));
  DOUBLES_EQUAL(18, json_number(result, "total").value_or(-1), 0);
  DOUBLES_EQUAL(7, json_number(result, "high").value_or(-1), 0);
  DOUBLES_EQUAL(6, json_number(result, "first").value_or(-1), 0);
  CHECK_FALSE(json_number(result, "low").has_value());
  // The same again after a crash: what was taken over is stored in the new layout by now.
  crash_and_restart();
  CHECK_TRUE(check_against().end.exit_code != 0);  // an agent runs
  CHECK_TRUE(gateway->stop_agent());
  STRCMP_CONTAINS("windows   match", check_against().output.c_str());
}

TEST(StateChange, a_damaged_checkpoint_gives_way_to_one_of_the_layout_before) {
  std::string config = per_second_config;
  config.replace(config.find("min_pause"), 0, "retained = 16, ");
  stop_with_an_open_window(config);
  change("low = \"min(value)\", ", "");
  restart();
  send("d2", 1, 400);
  CHECK_TRUE(gateway->wait_received(sent));
  gateway->crash();
  sqlite3* database = nullptr;
  LONGS_EQUAL(SQLITE_OK, sqlite3_open((gateway->state_dir() + "/weir.db").c_str(), &database));
  // All that this start has written.
  const char* damage = "UPDATE checkpoint SET manifest = x'00' WHERE checkpoint > 1000";
  LONGS_EQUAL(SQLITE_OK, sqlite3_exec(database, damage, nullptr, nullptr, nullptr));
  CHECK_TRUE(sqlite3_changes(database) > 0);
  sqlite3_close(database);
  restart();
  STRCMP_CONTAINS("Going on from checkpoint ", gateway->agent().log().c_str());
  LONGS_EQUAL(3, json_int(result_of_window(), "n").value_or(-1));
}

TEST(StateChange, a_smaller_max_keys_suffices_for_the_keys_that_are_there) {
  stop_with_an_open_window();
  change("key_by = [\"device\"]", "key_by = [\"device\"]\nmax_keys = 1");
  restart();
  LONGS_EQUAL(3, json_int(result_of_window(), "n").value_or(-1));
}

TEST(StateChange, an_integer_that_becomes_a_number_keeps_its_windows) {
  std::string config = per_second_config;
  config.replace(config.find("value = \"float\""), 15, "value = \"int\"");
  const std::string sums = "total = \"sum(value)\", low = \"min(value)\", high = \"max(value)\", ";
  config.replace(config.find(sums), sums.size(), "");
  stop_with_an_open_window(config);
  change("value = \"int\"", "value = \"float\"");
  STRCMP_CONTAINS("converted", check_against().output.c_str());
  restart();
  send("d1", 6.5, 250);
  const std::string result = result_of_window();
  LONGS_EQUAL(4, json_int(result, "n").value_or(-1));
  DOUBLES_EQUAL(6.125, json_number(result, "mean").value_or(-1), 0);
}

TEST(StateChange, a_longer_key_keeps_its_windows) {
  std::string config = per_second_config;
  auto replace = [&config](const std::string& from, const std::string& to) {
    config.replace(config.find(from), from.size(), to);
  };
  replace("device = \"topic[1]\"", "device = \"topic[1]\", unit = \"string(4)\"");
  replace("key_by = [\"device\"]", "key_by = [\"device\", \"unit\"]");
  stop_with_an_open_window(config);
  change("unit = \"string(4)\"", "unit = \"string(40)\"");
  const ProcessResult check = check_against();
  LONGS_EQUAL_TEXT(0, check.end.exit_code, check.output.c_str());
  STRCMP_CONTAINS("key unit: string(4) -> string(40)", check.output.c_str());
  restart();
  LONGS_EQUAL(3, json_int(result_of_window(), "n").value_or(-1));
}

TEST(StateChange, a_renamed_step_keeps_its_windows) {
  stop_with_an_open_window();
  change("id = \"windows\"", "id = \"seconds\"\nid_previous = \"windows\"");
  STRCMP_CONTAINS("stored as \"windows\"", check_against().output.c_str());
  restart();
  LONGS_EQUAL(3, json_int(result_of_window(), "n").value_or(-1));
  // id_previous may stay.
  CHECK_TRUE(gateway->stop_agent());
  restart();
}

TEST(StateChange, another_window_is_refused_with_both_layouts_and_the_ways_out) {
  stop_with_an_open_window();
  change("tumbling = \"1s\"", "tumbling = \"2s\"");
  const ProcessResult check = check_against();
  LONGS_EQUAL(78, check.end.exit_code);
  for (const char* words : {"incompatible", "size_ms: was 1000; size_ms: is now 2000", "! shape size_ms 1000", "! ",
                            "shape size_ms 2000", "take the change of the step back", "--allow-non-restored-state"})
    STRCMP_CONTAINS(words, check.output.c_str());
  const ProcessResult json = check_against("--json");
  LONGS_EQUAL(78, json.end.exit_code);
  STRCMP_CONTAINS("\"refused\":true", json.output.c_str());
  CHECK_TRUE(is_json(json.output));
  const std::string log = log_of_refusal();
  STRCMP_CONTAINS("size_ms: was 1000; size_ms: is now 2000", log.c_str());
  STRCMP_CONTAINS("shape size_ms 2000", log.c_str());
  // Nothing was touched: the old configuration goes on.
  change("tumbling = \"2s\"", "tumbling = \"1s\"");
  restart();
  LONGS_EQUAL(3, json_int(result_of_window(), "n").value_or(-1));
}

TEST(StateChange, state_of_a_step_that_is_gone_is_kept_and_comes_back) {
  stop_with_an_open_window();
  change("id = \"windows\"", "id = \"others\"");
  STRCMP_CONTAINS("has no step in the configuration", log_of_refusal().c_str());
  gateway->agent().options().flags = {"--allow-non-restored-state"};
  restart();
  gateway->agent().options().flags.clear();
  // Checkpoints go on, and more starts.
  for (int index = 0; index < 5; ++index) {
    send("d2", 1, 400);
    CHECK_TRUE(gateway->wait_received(sent));
  }
  CHECK_TRUE(gateway->stop_agent());
  restart();
  CHECK_TRUE(gateway->stop_agent());
  const std::string listed = state({"list"});
  STRCMP_CONTAINS("windows", listed.c_str());
  STRCMP_CONTAINS("kept for ", listed.c_str());
  STRCMP_CONTAINS("\"part\":\"windows\",\"kind\":\"window tumbling\",\"keys\":1,", state({"list", "--json"}).c_str());
  change("id = \"others\"", "id = \"windows\"");
  STRCMP_CONTAINS("returned", check_against().output.c_str());
  gateway->agent().options().flags = {"--allow-non-restored-state"};
  restart();
  const std::string result = result_of_window();
  LONGS_EQUAL(3, json_int(result, "n").value_or(-1));
}

TEST(StateChange, the_newest_eight_steps_that_left_are_kept) {
  stop_with_an_open_window();
  gateway->agent().options().flags = {"--allow-non-restored-state"};
  std::string id = "windows";
  for (int number = 1; number <= 9; ++number) {
    const std::string next = "w-" + std::to_string(number);
    change(("id = \"" + id + "\"").c_str(), ("id = \"" + next + "\"").c_str());
    id = next;
    restart();
    // State of which there is a checkpoint.
    send("d1", number, 100 + number);
    CHECK_TRUE(gateway->wait_received(sent));
    CHECK_TRUE(gateway->stop_agent());
  }
  const std::string listed = state({"list"});
  CHECK_TRUE(listed.find("windows") == std::string::npos);
  for (int number = 1; number <= 8; ++number) STRCMP_CONTAINS(("w-" + std::to_string(number) + " ").c_str(), listed.c_str());
  STRCMP_CONTAINS("the state of \"windows\", which was kept for its return, is dropped", gateway->agent().log().c_str());
}

TEST(StateChange, kept_state_that_is_damaged_refuses_only_the_step_that_wants_it) {
  stop_with_an_open_window();
  change("id = \"windows\"", "id = \"others\"");
  gateway->agent().options().flags = {"--allow-non-restored-state"};
  restart();
  CHECK_TRUE(gateway->stop_agent());
  sqlite3* database = nullptr;
  LONGS_EQUAL(SQLITE_OK, sqlite3_open((gateway->state_dir() + "/weir.db").c_str(), &database));
  const char* damage =
      "UPDATE opstate SET bytes = x'5A' || substr(bytes, 2) WHERE id = (SELECT max(id) FROM opstate WHERE "
      "id >> 48 = (SELECT op FROM kept))";
  LONGS_EQUAL(SQLITE_OK, sqlite3_exec(database, damage, nullptr, nullptr, nullptr));
  LONGS_EQUAL(1, sqlite3_changes(database));
  sqlite3_close(database);
  restart();
  CHECK_TRUE(gateway->stop_agent());
  change("id = \"others\"", "id = \"windows\"");
  const std::string log = log_of_refusal();
  STRCMP_CONTAINS("what was kept of it is damaged: the state of a part fails its CRC", log.c_str());
  STRCMP_CONTAINS("weir state drop --step windows", log.c_str());
  STRCMP_CONTAINS("damaged: the state of a part fails its CRC", state({"list"}).c_str());
  const std::vector<std::string> drop = {"state",  "drop",    "--pipeline",  "per-second",
                                         "--step", "windows", "--state-dir", gateway->state_dir()};
  LONGS_EQUAL(0, gateway->weir(drop).end.exit_code);
  restart();
}

TEST(StateChange, kept_state_can_be_dropped_and_nothing_else) {
  stop_with_an_open_window();
  change("id = \"windows\"", "id = \"others\"");
  gateway->agent().options().flags = {"--allow-non-restored-state"};
  restart();
  CHECK_TRUE(gateway->stop_agent());
  const std::string directory = gateway->state_dir();
  auto drop = [&](const char* step) {
    return gateway->weir({"state", "drop", "--pipeline", "per-second", "--step", step, "--state-dir", directory});
  };
  LONGS_EQUAL(1, drop("others").end.exit_code);
  LONGS_EQUAL(1, drop("nothing").end.exit_code);
  LONGS_EQUAL(0, drop("windows").end.exit_code);
  LONGS_EQUAL(1, drop("windows").end.exit_code);
  CHECK_TRUE(state({"list"}).find("windows") == std::string::npos);
  restart();
}

TEST(StateChange, stored_state_is_shown_by_its_names) {
  stop_with_an_open_window();
  const std::string shown = state({"show", "--step", "windows"});
  STRCMP_CONTAINS("window tumbling", shown.c_str());
  STRCMP_CONTAINS("shape size_ms 1000", shown.c_str());
  STRCMP_CONTAINS("{\"key\":{\"device\":\"d1\"},\"state\":{", shown.c_str());
  const std::string json = state({"export", "--step", "windows"});
  CHECK_TRUE(is_json(json));
  STRCMP_CONTAINS("\"n\":2,\"total\":12,\"low\":5,\"high\":7,\"mean\":6", json.c_str());
  const std::string csv = state({"export", "--step", "windows", "--format", "csv"});
  STRCMP_CONTAINS("device,step.sequence,slice.start,slice.offset,n,total,low,high,mean\n", csv.c_str());
  STRCMP_CONTAINS(",2,12,5,7,6\n", csv.c_str());
  restart();
  const ProcessResult running = gateway->weir({"state", "show", "--state-dir", gateway->state_dir()});
  LONGS_EQUAL(1, running.end.exit_code);
  STRCMP_CONTAINS("an agent (pid ", running.error.c_str());
}

}  // namespace
