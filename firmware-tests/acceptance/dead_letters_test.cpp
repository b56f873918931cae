// `weir dead-letters list`, with the agent running and without it.
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

}  // namespace
