// A message at which the process dies or hangs: three deaths, then it is a dead letter and the stream goes on; and what the
// next start says about it.
#include <csignal>

#include "firmware-tests/acceptance/gateway_fixture.h"

namespace {

using namespace weir;

constexpr const char* faulty_config = R"toml(
[agent]
name = "box"
state_dir = "@STATE@"

[mqtt.local]
url = "@BROKER@"

[[pipeline]]
name = "faulty"
poison_per_hour = 1
checkpoint = { interval = "50ms", min_pause = "1ms" }

  [pipeline.source]
  mqtt = "local"
  topics = ["sensors/+/env"]
  format = "json"
  fields = { device = "topic[1]", value = "float", ts = "time(ms)" }

  [[pipeline.step]]
  id = "suspect"
  key_by = ["device"]
  operator = "faulty"
  max_keys = 10

  [pipeline.sink]
  mqtt = "local"
  topic = "results/{device}"
  format = "json"

[[pipeline]]
name = "other"
checkpoint = { interval = "50ms", min_pause = "1ms" }

  [pipeline.source]
  mqtt = "local"
  topics = ["others/+/env"]
  format = "json"
  fields = { device = "topic[1]", value = "float", ts = "time(ms)" }

  [[pipeline.step]]
  filter = "value > 1e9"

  [pipeline.sink]
  mqtt = "local"
  topic = "others-results/{device}"
  format = "json"
)toml";

class PoisonTest : public GatewayTest {
 public:
  void start_faulty() {
    gateway = std::make_unique<TestGateway>(faulty_config, WEIR_FAULTY);
    CHECK_TRUE(gateway->start());
  }
  void send_good(int count) {
    for (int number = 0; number < count; ++number) {
      measure("d1", number, number);
      if (number % 100 == 0) {
        CHECK_TRUE(gateway->publish("others/d1/env", "{\"value\":1,\"ts\":1}"));
      }
    }
  }
  int end_signal(int64_t deadline_ms = 20'000) {
    const std::optional<ProcessEnd> end = gateway->agent().process().wait(deadline_ms);
    return end ? end->signal : -1;
  }
  /// The line of the flight recorder about what the agent that runs now has in hand in the step, empty if it has nothing.
  std::string in_hand_now() {
    const std::string run = "this run: pid " + std::to_string(gateway->agent().pid()) + ",";
    const std::string output = gateway->weir({"blackbox", "--state-dir", gateway->state_dir()}).output;
    const size_t at = output.find(") in suspect");
    if (output.find(run) == std::string::npos || at == std::string::npos) return {};
    const size_t begin = output.rfind('\n', at) + 1;
    return output.substr(begin, output.find('\n', at) - begin);
  }
  /// Until the agent that runs now hangs with a message in hand: a good one is gone when one looks again.
  bool in_hand() {
    return eventually(20'000, [&] {
      const std::string line = in_hand_now();
      sleep_ms(50);
      return !line.empty() && in_hand_now() == line;
    });
  }
  std::string dead_letters() {
    return gateway->weir({"dead-letters", "list", "--state-dir", gateway->state_dir(), "--json"}).output;
  }
  void check_all_applied_once(uint64_t good, uint64_t poison) {
    CHECK_TRUE(eventually(60'000, [&] { return gateway->pipeline("faulty").ledger.applied >= good; }));
    CHECK_TRUE(eventually(60'000, [&] { return gateway->pipeline("other").ledger.filtered >= good / 100; }));
    const ObservedPipeline faulty = gateway->pipeline("faulty");
    UNSIGNED_LONGS_EQUAL(good, faulty.ledger.applied);
    UNSIGNED_LONGS_EQUAL(poison, faulty.ledger.dead_lettered);
    LONGS_EQUAL(0, faulty.imbalance);
    UNSIGNED_LONGS_EQUAL(good / 100, gateway->pipeline("other").ledger.filtered);
  }
};

TEST_GROUP_BASE(Poison, PoisonTest){};

TEST(Poison, a_message_that_crashes_a_step_is_set_aside_after_three_deaths_and_all_others_are_applied_once) {
  start_faulty();
  send_good(50'000);
  measure("d2", -666, 7);
  send_good(50'000);
  for (int death = 1; death <= 3; ++death) {
    LONGS_EQUAL(SIGSEGV, end_signal(60'000));
    CHECK_TRUE(gateway->agent().start().ok());
  }
  check_all_applied_once(100'000, 1);
  CHECK_TRUE(gateway->agent().running());
  CHECK_TRUE(eventually(20'000, [&] { return !dead_letters().empty(); }));
  const std::string letter = dead_letters();
  STRCMP_EQUAL("poison", json_text(letter, "reason").value_or("").c_str());
  STRCMP_EQUAL("suspect", json_text(letter, "step").value_or("").c_str());
  STRCMP_CONTAINS("\\\"value\\\":-666", letter.c_str());
  const std::string log = gateway->agent().log();
  STRCMP_CONTAINS("it died of SIGSEGV", log.c_str());
  STRCMP_CONTAINS("of faulty, in \"suspect\", for the 3. time in a row", log.c_str());
  STRCMP_CONTAINS("is poison", log.c_str());
}

TEST(Poison, a_message_that_hangs_a_step_is_set_aside_as_well) {
  start_faulty();
  send_good(100);
  measure("d2", -667, 7);
  send_good(100);
  for (int death = 1; death <= 3; ++death) {
    CHECK_TRUE(in_hand());
    gateway->agent().process().signal(SIGABRT);
    LONGS_EQUAL(SIGABRT, end_signal());
    CHECK_TRUE(gateway->agent().start().ok());
  }
  check_all_applied_once(200, 1);
  STRCMP_CONTAINS("poison", dead_letters().c_str());
}

TEST(Poison, a_message_that_hangs_a_step_is_found_by_the_watchdog_which_names_it_and_set_aside) {
  gateway = std::make_unique<TestGateway>(faulty_config, WEIR_FAULTY);
  gateway->agent().options().settings.push_back("agent.watchdog=1s");
  CHECK_TRUE(gateway->start());
  send_good(100);
  measure("d2", -667, 7);
  send_good(100);
  for (int death = 1; death <= 3; ++death) {
    LONGS_EQUAL(SIGABRT, end_signal());
    CHECK_TRUE(gateway->agent().start().ok());
  }
  check_all_applied_once(200, 1);
  const std::string log = gateway->agent().log();
  STRCMP_CONTAINS("ALARM: watchdog: the reactor has made no progress", log.c_str());
  STRCMP_CONTAINS(": pipeline faulty works at the message with offset 101, in \"suspect\"", log.c_str());
  // It is listed when the checkpoint that holds it is.
  CHECK_TRUE(eventually(20'000, [&] { return dead_letters().find("poison") != std::string::npos; }));
}

TEST(Poison, one_more_than_the_hour_allows_ends_the_pipeline_which_says_why_and_no_other) {
  start_faulty();
  for (int poison = 1; poison <= 2; ++poison) {
    measure("d2", -666, poison);
    for (int death = 1; death <= 3; ++death) {
      LONGS_EQUAL(SIGSEGV, end_signal());
      CHECK_TRUE(gateway->agent().start().ok());
    }
  }
  CHECK_TRUE(says("faulty: failed: one more poison message than poison_per_hour allows"));
  CHECK_TRUE(says("such a failure allows no further restart"));
  CHECK_TRUE(gateway->publish("others/d1/env", "{\"value\":1,\"ts\":1}"));
  CHECK_TRUE(eventually(20'000, [&] { return gateway->pipeline("other").ledger.filtered == 1; }));
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline("faulty").ledger.dead_lettered);
  // Another start does not change that; whoever resumes it allows another hour's worth.
  CHECK_TRUE(gateway->stop_agent());
  CHECK_TRUE(gateway->agent().start_ready().ok());
  CHECK_TRUE(says("faulty: FAILED, it is not started; the last failure: one more poison message"));
  LONGS_EQUAL(0, gateway->weir({"resume", "--state-dir", gateway->state_dir(), "--pipeline", "faulty"}).end.exit_code);
  CHECK_TRUE(eventually(20'000, [&] { return gateway->pipeline("faulty").ledger.dead_lettered == 2; }));
}

TEST(Poison, the_flight_recorder_can_be_read_with_the_agent_and_without) {
  start_faulty();
  const ProcessResult running = gateway->weir({"blackbox", "--state-dir", gateway->state_dir(), "--json"});
  LONGS_EQUAL(0, running.end.exit_code);
  CHECK_TRUE(is_json(running.output));
  CHECK_TRUE(gateway->stop_agent());
  const ProcessResult stopped = gateway->weir({"blackbox", "--state-dir", gateway->state_dir()});
  LONGS_EQUAL(0, stopped.end.exit_code);
  STRCMP_CONTAINS("stopped in order", stopped.output.c_str());
  STRCMP_CONTAINS("checkpoint completed", stopped.output.c_str());
  LONGS_EQUAL(1, gateway->weir({"blackbox", "--state-dir", gateway->directory().path()}).end.exit_code);
}

}  // namespace
