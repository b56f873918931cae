// `weir dead-letters`, with the agent running and without it.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <algorithm>
#include <sstream>
#include <vector>

namespace {

using namespace weir;

class DeadLettersTest : public GatewayTest {
 public:
  void send_bad(int count) {
    for (int number = 0; number < count; ++number) {
      CHECK_TRUE(gateway->publish("sensors/bad/env", "{broken " + std::to_string(number)));
    }
    CHECK_TRUE(gateway->wait_received(static_cast<uint64_t>(count)));
  }
  std::vector<std::string> list(std::vector<std::string> options) {
    std::vector<std::string> arguments{"dead-letters", "list", "--state-dir", gateway->state_dir(), "--json"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const ProcessResult result = gateway->weir(arguments);
    LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
    std::vector<std::string> lines;
    std::istringstream stream(result.output);
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
  }
  void check_entry(const std::string& line, int number) {
    STRCMP_EQUAL("json", json_text(line, "reason").value_or("").c_str());
    STRCMP_EQUAL("source", json_text(line, "step").value_or("").c_str());
    STRCMP_EQUAL("per-second", json_text(line, "pipeline").value_or("").c_str());
    STRCMP_EQUAL("sensors/bad/env", json_text(line, "topic").value_or("").c_str());
    STRCMP_EQUAL(("{broken " + std::to_string(number)).c_str(), json_text(line, "payload").value_or("").c_str());
    CHECK_TRUE(!json_text(line, "detail").value_or("").empty());
    CHECK_TRUE(json_int(line, "arrival_ms").value_or(0) > 1'600'000'000'000);
  }
};

TEST_GROUP_BASE(DeadLetters, DeadLettersTest){};

TEST(DeadLetters, are_listed_by_the_running_agent_oldest_first) {
  start();
  send_bad(3);
  const std::vector<std::string> lines = list({});
  UNSIGNED_LONGS_EQUAL(3, lines.size());
  for (int number = 0; number < 3; ++number) check_entry(lines[static_cast<size_t>(number)], number);
}

TEST(DeadLetters, are_listed_from_the_state_directory_when_no_agent_runs) {
  start();
  send_bad(3);
  const std::vector<std::string> online = list({});
  CHECK_TRUE(gateway->stop_agent());
  CHECK_TRUE(list({}) == online);
  CHECK_TRUE(gateway->start_agent());
  gateway->crash();
  CHECK_TRUE(list({}) == online);
}

TEST(DeadLetters, come_in_pages) {
  start();
  send_bad(5);
  std::vector<std::string> seen;
  int64_t after = 0;
  for (int page = 0; page < 10; ++page) {
    std::vector<std::string> lines = list({"--limit", "2", "--after", std::to_string(after)});
    const bool more = !lines.empty() && json_int(lines.back(), "next_after").has_value();
    if (more) {
      after = *json_int(lines.back(), "next_after");
      lines.pop_back();
    }
    CHECK_TRUE(lines.size() <= 2);
    seen.insert(seen.end(), lines.begin(), lines.end());
    if (!more) break;
  }
  CHECK_TRUE(seen == list({}));
}

TEST(DeadLetters, are_bounded_and_the_oldest_go_first) {
  prepare();
  gateway->replace("checkpoint = {", "dead_letters = { max_rows = 10 }\ncheckpoint = {");
  CHECK_TRUE(gateway->start());
  send_bad(25);
  const std::vector<std::string> lines = list({});
  UNSIGNED_LONGS_EQUAL(10, lines.size());
  check_entry(lines.front(), 15);
  check_entry(lines.back(), 24);
  UNSIGNED_LONGS_EQUAL(25, gateway->pipeline().ledger.dead_lettered);
}

TEST(DeadLetters, keep_the_head_of_a_large_payload_and_its_size) {
  start();
  const std::string large = "{\"value\":\"" + std::string(50'000, 'x');
  CHECK_TRUE(gateway->publish("sensors/bad/env", large));
  CHECK_TRUE(gateway->wait_received(1));
  const std::vector<std::string> lines = list({});
  UNSIGNED_LONGS_EQUAL(1, lines.size());
  LONGS_EQUAL(large.size(), json_int(lines[0], "payload_size").value_or(0));
  CHECK_TRUE(large.starts_with(json_text(lines[0], "payload").value_or("?")));
}

TEST(DeadLetters, are_shown_to_people_too) {
  start();
  send_bad(1);
  const ProcessResult result = gateway->weir({"dead-letters", "list", gateway->config_path()});
  LONGS_EQUAL(0, result.end.exit_code);
  STRCMP_CONTAINS("sensors/bad/env", result.output.c_str());
  STRCMP_CONTAINS("{broken 0", result.output.c_str());
}

TEST(DeadLetters, without_a_state_directory_are_an_error) {
  prepare();
  const ProcessResult result = gateway->weir({"dead-letters", "list", "--state-dir", gateway->directory().file("nowhere")});
  LONGS_EQUAL(1, result.end.exit_code);
  STRCMP_CONTAINS("nowhere", result.error.c_str());
}

TEST(DeadLetters, are_shown_one_by_one_with_the_whole_payload_with_the_agent_and_without) {
  start();
  const std::string long_payload = "{broken " + std::string(3000, 'x') + " end";
  CHECK_TRUE(gateway->publish("sensors/bad/env", long_payload));
  CHECK_TRUE(gateway->wait_received(1));
  auto show = [&](const std::string& id) {
    return gateway->weir({"dead-letters", "show", id, "--state-dir", gateway->state_dir(), "--json"});
  };
  STRCMP_EQUAL(long_payload.c_str(), json_text(show("1").output, "payload").value_or("").c_str());
  LONGS_EQUAL(1, show("2").end.exit_code);
  STRCMP_CONTAINS("there is no dead letter with this number", show("2").error.c_str());
  CHECK_TRUE(gateway->stop_agent());
  STRCMP_EQUAL(long_payload.c_str(), json_text(show("1").output, "payload").value_or("").c_str());
  LONGS_EQUAL(1, show("2").end.exit_code);
  LONGS_EQUAL(64, show("one").end.exit_code);
  LONGS_EQUAL(64, show("0").end.exit_code);
}

/// Whole numbers only: what comes with a fraction is refused at the source, until the type is widened.
class ReplayedLettersTest : public DeadLettersTest {
 public:
  static std::string whole_config() {
    std::string config = per_second_config;
    config.replace(config.find("value = \"float\""), 15, "value = \"int\"");
    const size_t at = config.find("n = \"count()\"") + 13;
    return config.erase(at, config.find(" }", at) - at);
  }
  void widen() {
    gateway->replace("value = \"int\"", "value = \"float\"");
    gateway->write_config();
    const ProcessResult result = gateway->weir({"reload", "--state-dir", gateway->state_dir()});
    LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
    CHECK_TRUE(gateway->agent().wait_connected());
  }
  void send_fractions(int count) {
    for (int number = 0; number < count; ++number) measure("d1", number + 0.5, number);
    CHECK_TRUE(gateway->wait_received(static_cast<uint64_t>(count)));
    UNSIGNED_LONGS_EQUAL(count, list({}).size());
  }
  ProcessResult change(std::vector<std::string> words) {
    words.insert(words.begin(), "dead-letters");
    words.insert(words.end(), {"--state-dir", gateway->state_dir()});
    return gateway->weir(words);
  }
  std::string replay(std::vector<std::string> selection) {
    selection.insert(selection.begin(), "replay");
    selection.push_back("--yes");
    const ProcessResult result = change(selection);
    LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
    return result.output;
  }
  bool empty_soon() {
    return eventually(10'000, [&] { return list({}).empty(); });
  }
};

TEST_GROUP_BASE(ReplayedLetters, ReplayedLettersTest){};

TEST(ReplayedLetters, are_taken_up_once_what_was_wrong_is_mended) {
  start(whole_config());
  send_fractions(3);
  UNSIGNED_LONGS_EQUAL(3, gateway->pipeline().ledger.dead_lettered);
  widen();
  STRCMP_EQUAL("3 replayed, 0 refused again and listed anew, 0 skipped\n", replay({"--all"}).c_str());
  CHECK_TRUE(empty_soon());
  const ObservedPipeline pipeline = gateway->pipeline();
  UNSIGNED_LONGS_EQUAL(3, pipeline.ledger.applied);
  UNSIGNED_LONGS_EQUAL(0, pipeline.ledger.dead_lettered);
  UNSIGNED_LONGS_EQUAL(3, pipeline.ledger.received);
  LONGS_EQUAL(0, pipeline.imbalance);
  measure("d1", 1, 5000);
  CHECK_TRUE(gateway->wait_results(1));
  STRCMP_CONTAINS("\"n\":3", gateway->results().front().payload.c_str());
  UNSIGNED_LONGS_EQUAL(0, gateway->status().memory.weir_allocations);
}

TEST(ReplayedLetters, that_are_refused_again_come_back_with_their_number_of_attempts_and_do_not_loop) {
  start();
  send_bad(2);
  STRCMP_EQUAL("0 replayed, 2 refused again and listed anew, 0 skipped\n", replay({"--reason", "json"}).c_str());
  CHECK_TRUE(eventually(10'000, [&] { return list({}).size() == 2 && json_int(list({})[0], "id").value_or(0) == 3; }));
  for (const std::string& line : list({})) LONGS_EQUAL(1, json_int(line, "attempts").value_or(-1));
  UNSIGNED_LONGS_EQUAL(2, gateway->pipeline().ledger.dead_lettered);
  UNSIGNED_LONGS_EQUAL(2, gateway->pipeline().ledger.received);
  STRCMP_EQUAL("0 replayed, 1 refused again and listed anew, 0 skipped\n", replay({"--id", "4"}).c_str());
}

TEST(ReplayedLetters, count_once_whatever_dies_when) {
  std::string config = whole_config();
  config.replace(config.find("checkpoint ="), 12,
                 "restart = { strategy = \"fixed-delay\", attempts = 1000, delay = \"1ms\" }\ncheckpoint =");
  start(config);
  send_fractions(40);
  widen();
  for (int death = 0; death < 10; ++death) {
    for (int id = 4 * death + 1; id <= 4 * death + 4; ++id) change({"replay", "--id", std::to_string(id), "--yes"});
    usleep(static_cast<useconds_t>(death * 1500));
    crash_and_restart();
  }
  replay({"--all"});
  CHECK_TRUE(empty_soon());
  const ObservedPipeline pipeline = gateway->pipeline();
  UNSIGNED_LONGS_EQUAL(40, pipeline.ledger.applied);
  LONGS_EQUAL(0, pipeline.imbalance);
}

TEST(ReplayedLetters, are_only_counted_without_yes_and_refused_without_a_selection) {
  start();
  send_bad(2);
  STRCMP_EQUAL("2 dead letters are selected; to replay them: --yes\n", change({"replay", "--all"}).output.c_str());
  LONGS_EQUAL(64, change({"replay"}).end.exit_code);
  LONGS_EQUAL(64, change({"purge", "--id", "x"}).end.exit_code);
  UNSIGNED_LONGS_EQUAL(2, list({}).size());
  gateway->crash();
  LONGS_EQUAL(1, change({"replay", "--all", "--yes"}).end.exit_code);
}

TEST(ReplayedLetters, that_cannot_be_replayed_are_skipped_and_say_why) {
  std::string config = per_second_config;
  config.replace(config.find("checkpoint ="), 12, "dead_letters = { max_payload = \"8B\" }\ncheckpoint =");
  start(config);
  send_bad(1);
  const ProcessResult result = change({"replay", "--all", "--yes"});
  STRCMP_EQUAL("0 replayed, 0 refused again and listed anew, 1 skipped\n", result.output.c_str());
  STRCMP_CONTAINS("skipped 1: its payload was cut", result.error.c_str());
  UNSIGNED_LONGS_EQUAL(1, list({}).size());
}

TEST(ReplayedLetters, or_not_are_purged_by_what_is_selected_with_the_agent_and_without) {
  start();
  send_bad(5);
  STRCMP_EQUAL("1 dead letters purged\n", change({"purge", "--id", "2", "--yes"}).output.c_str());
  STRCMP_EQUAL("0 dead letters purged\n", change({"purge", "--reason", "late", "--yes"}).output.c_str());
  STRCMP_EQUAL("0 dead letters purged\n", change({"purge", "--older", "1d", "--yes"}).output.c_str());
  UNSIGNED_LONGS_EQUAL(4, list({}).size());
  CHECK_TRUE(gateway->stop_agent());
  STRCMP_EQUAL("4 dead letters are selected; to purge them: --yes\n",
               change({"purge", "--pipeline", "per-second"}).output.c_str());
  STRCMP_EQUAL("4 dead letters purged\n", change({"purge", "--pipeline", "per-second", "--yes"}).output.c_str());
  CHECK_TRUE(list({}).empty());
  CHECK_TRUE(gateway->start_agent());
}

TEST(ReplayedLetters, that_fill_the_store_hold_up_the_pipeline_where_that_is_wanted_until_some_are_purged) {
  std::string config = per_second_config;
  config.replace(config.find("checkpoint ="), 12, "dead_letters = { max_rows = 2, full = \"hold\" }\ncheckpoint =");
  start(config);
  send_bad(2);
  CHECK_TRUE(gateway->publish("sensors/bad/env", "{broken"));
  CHECK_TRUE(says("the dead letters are full"));
  UNSIGNED_LONGS_EQUAL(2, list({}).size());
  change({"purge", "--all", "--yes"});
  CHECK_TRUE(eventually(20'000, [&] { return list({}).size() == 1; }));
  UNSIGNED_LONGS_EQUAL(3, gateway->pipeline().ledger.dead_lettered);
}

class LedgerTest : public DeadLettersTest {
 public:
  ProcessResult ledger(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"ledger", "--state-dir", gateway->state_dir()});
    return gateway->weir(options);
  }
};

TEST_GROUP_BASE(LedgerCommand, LedgerTest){};

TEST(LedgerCommand, shows_the_account_of_a_running_agent_and_of_the_newest_checkpoint) {
  start();
  for (int number = 0; number < 5; ++number) measure("d1", number < 2 ? -5000 : 1, number);
  for (int number = 0; number < 7; ++number) CHECK_TRUE(gateway->publish("sensors/bad/env", "{broken"));
  CHECK_TRUE(gateway->wait_received(12));
  gateway->crash();
  const ProcessResult stored = ledger({"--json"});
  LONGS_EQUAL_TEXT(0, stored.end.exit_code, stored.error.c_str());
  CHECK_TRUE(is_json(stored.output));
  LONGS_EQUAL(12, json_int(stored.output, "received").value_or(-1));
  LONGS_EQUAL(3, json_int(stored.output, "applied").value_or(-1));
  LONGS_EQUAL(2, json_int(stored.output, "filtered").value_or(-1));
  LONGS_EQUAL(7, json_int(stored.output, "dead_lettered").value_or(-1));
  LONGS_EQUAL(0, json_int(stored.output, "imbalance").value_or(-1));
  STRCMP_CONTAINS("it balances, as of checkpoint", ledger().output.c_str());
  CHECK_TRUE(gateway->start_agent());
  const ProcessResult running = ledger({"--json"});
  LONGS_EQUAL(12, json_int(running.output, "received").value_or(-1) - json_int(running.output, "duplicate").value_or(0));
  LONGS_EQUAL(0, json_int(running.output, "in_flight").value_or(-1));
  STRCMP_CONTAINS("it balances, checkpoint", ledger().output.c_str());
}

TEST(LedgerCommand, keeps_an_account_of_each_of_several_sources_across_a_crash) {
  std::string config = per_second_config;
  const size_t source = config.find("  [pipeline.source]");
  config.replace(
      source, config.find("  [[pipeline.step]]") - source,
      "  [[pipeline.source]]\n  name = \"one\"\n  mqtt = \"local\"\n  topics = [\"sensors/+/env\"]\n  format = \"json\"\n"
      "  fields = { device = \"topic[1]\", value = \"float\", ts = \"time(ms)\" }\n"
      "  event_time = { field = \"ts\", max_delay = \"500ms\" }\n"
      "  [[pipeline.source]]\n  name = \"two\"\n  topics = [\"others/+/env\"]\n  format = \"json\"\n"
      "  fields = { device = \"topic[1]\", value = \"float\", ts = \"time(ms)\" }\n"
      "  event_time = { field = \"ts\", max_delay = \"500ms\" }\n"
      "  [[pipeline.step]]\n  id = \"both\"\n  union = [\"one\", \"two\"]\n");
  start(config);
  for (int number = 0; number < 4; ++number) measure("d1", number == 0 ? -5000 : 1, number);
  CHECK_TRUE(gateway->publish("others/d1/env", "{broken"));
  CHECK_TRUE(gateway->publish("others/d1/env", "{\"value\":1,\"ts\":1700000000000}"));
  CHECK_TRUE(gateway->wait_received(6));
  const std::string sources =
      "\"sources\":[{\"name\":\"one\",\"received\":4,\"applied\":3,\"filtered\":1,\"late\":0,\"dead_lettered\":0},"
      "{\"name\":\"two\",\"received\":2,\"applied\":1,\"filtered\":0,\"late\":0,\"dead_lettered\":1}]";
  STRCMP_CONTAINS(sources.c_str(), ledger({"--json"}).output.c_str());
  gateway->crash();
  const std::string stored = ledger({"--json"}).output;
  STRCMP_CONTAINS(sources.c_str(), stored.c_str());
  CHECK_TRUE(is_json(stored));
  CHECK_TRUE(gateway->start_agent());
  STRCMP_CONTAINS(sources.c_str(), ledger({"--json"}).output.c_str());
  STRCMP_CONTAINS("of source two: 2 = applied 1 + filtered 0 + late 0 + dead letters 1", ledger().output.c_str());
}

}  // namespace
