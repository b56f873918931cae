// Checkpoints on demand: `weir checkpoint`, SIGUSR1.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <csignal>

namespace {

using namespace weir;

class CheckpointCommandTest : public GatewayTest {
 public:
  /// So seldom that none is taken by itself.
  void start_patient() {
    std::string config = per_second_config;
    const std::string often = "interval = \"30ms\", min_pause = \"1ms\"";
    config.replace(config.find(often), often.size(), "interval = \"1h\"");
    start(config);
    // The connection itself makes one.
    CHECK_TRUE(eventually(10'000, [this] { return gateway->pipeline().checkpoint.completed > 0; }));
    before = gateway->pipeline().checkpoint.last_id;
    measure("a", 20, 0);
    CHECK_TRUE(eventually(10'000, [this] { return gateway->pipeline().ledger.received == 1; }));
  }
  uint64_t before = 0;
  ProcessResult checkpoint(std::vector<std::string> options) {
    std::vector<std::string> arguments{"checkpoint", "--state-dir", gateway->state_dir()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return gateway->weir(arguments);
  }
};

}  // namespace

TEST_GROUP_BASE(CheckpointCommand, CheckpointCommandTest){};

TEST(CheckpointCommand, waits_until_it_is_durable_and_acknowledged) {
  start_patient();
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline().source.unacknowledged);
  const ProcessResult result = checkpoint({"--json"});
  LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
  const ObservedPipeline pipeline = gateway->pipeline();
  STRCMP_CONTAINS(("\"id\":" + std::to_string(pipeline.checkpoint.last_id)).c_str(), result.output.c_str());
  STRCMP_EQUAL("requested", pipeline.checkpoint.last_reason.c_str());
  UNSIGNED_LONGS_EQUAL(0, pipeline.source.unacknowledged);
  const ProcessResult text = checkpoint({"--pipeline", "per-second"});
  LONGS_EQUAL_TEXT(0, text.end.exit_code, text.error.c_str());
  STRCMP_CONTAINS("per-second: checkpoint ", text.output.c_str());
}

TEST(CheckpointCommand, names_a_pipeline_that_is_not_there) {
  start_patient();
  const ProcessResult result = checkpoint({"--pipeline", "other"});
  LONGS_EQUAL(1, result.end.exit_code);
  STRCMP_CONTAINS("there is no pipeline \"other\"", result.error.c_str());
}

TEST(CheckpointCommand, says_that_no_agent_is_running) {
  start_patient();
  gateway->crash();
  const ProcessResult result = checkpoint({});
  LONGS_EQUAL(1, result.end.exit_code);
  STRCMP_CONTAINS("no agent is running", result.error.c_str());
}

TEST(CheckpointCommand, a_signal_asks_for_one_too) {
  start_patient();
  kill(gateway->agent().pid(), SIGUSR1);
  CHECK_TRUE(eventually(10'000, [this] { return gateway->pipeline().checkpoint.last_id > before; }));
  STRCMP_EQUAL("requested", gateway->pipeline().checkpoint.last_reason.c_str());
}

TEST(CheckpointCommand, lists_what_the_last_death_cost) {
  start_patient();
  crash_and_restart();
  CHECK_TRUE(says("T_fault_tolerance"));
  const std::string json = gateway->weir({"status", "--state-dir", gateway->state_dir(), "--json"}).output;
  const size_t at = json.find("\"incident\":");
  CHECK_TRUE(at != std::string::npos);
  const std::string incident = json.substr(at + 11, json.find('}', at) - at - 10);
  const int64_t recovery_ms = json_int(incident, "recovery_ms").value_or(-1);
  const int64_t uncovered_ms = json_int(incident, "uncovered_ms").value_or(-1);
  CHECK_TRUE_TEXT(recovery_ms > 0 && uncovered_ms > 0, incident.c_str());
  LONGS_EQUAL(recovery_ms + uncovered_ms, json_int(incident, "fault_tolerance_ms").value_or(-1));
  const ProcessResult list = gateway->weir({"checkpoint", "list", "--state-dir", gateway->state_dir()});
  STRCMP_CONTAINS(("T_fault_tolerance " + std::to_string(recovery_ms + uncovered_ms) + " ms").c_str(), list.output.c_str());
}

TEST(CheckpointCommand, lists_the_newest_checkpoints_with_the_parts_of_their_time_also_after_a_crash) {
  start_patient();
  LONGS_EQUAL(0, checkpoint({}).end.exit_code);
  const uint64_t id = gateway->pipeline().checkpoint.last_id;
  auto list = [this](const std::vector<std::string>& options) {
    std::vector<std::string> arguments{"checkpoint", "list", "--state-dir", gateway->state_dir()};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return gateway->weir(arguments);
  };
  const ProcessResult json = list({"--json"});
  LONGS_EQUAL_TEXT(0, json.end.exit_code, json.error.c_str());
  const std::string begin = "{\"checkpoints\":[";
  STRCMP_EQUAL(begin.c_str(), json.output.substr(0, begin.size()).c_str());
  const std::string newest = json.output.substr(begin.size(), json.output.find('}') + 1 - begin.size());
  LONGS_EQUAL(id, json_int(newest, "id").value_or(0));
  STRCMP_EQUAL("requested", json_text(newest, "reason").value_or("").c_str());
  CHECK_TRUE(json_int(newest, "sync_us").value_or(-1) >= 0);
  CHECK_TRUE(json_int(newest, "async_us").value_or(-1) > 0);
  CHECK_TRUE(json_int(newest, "bytes").value_or(0) > 0);
  LONGS_EQUAL(json_int(newest, "checkpoint_ms").value_or(-1),
              json_int(newest, "timeout_ms").value_or(0) + json_int(newest, "data_ms").value_or(0));
  gateway->crash();
  CHECK_TRUE(gateway->start_agent());
  STRCMP_CONTAINS((" " + std::to_string(id) + "  ").c_str(), list({"--pipeline", "per-second"}).output.c_str());
  LONGS_EQUAL(1, list({"--pipeline", "other"}).end.exit_code);
}

TEST(CheckpointCommand, a_topic_takes_the_same_command_and_answers_and_leaves_old_messages_alone) {
  std::string config = per_second_config;
  const std::string often = "interval = \"30ms\", min_pause = \"1ms\"";
  config.replace(config.find(often), often.size(), "interval = \"1h\"");
  config.replace(config.find("[mqtt.local]"), 0, "control = { mqtt = \"local\", topic = \"box/control\" }\n\n");
  prepare(config);
  gateway->listen_to("box/control/answer");
  CHECK_TRUE(gateway->start_broker());
  CHECK_TRUE(gateway->start_clients());
  CHECK_TRUE(gateway->publish("box/control", "checkpoint", 1, true));
  CHECK_TRUE(gateway->start_agent());
  measure("a", 20, 0);
  CHECK_TRUE(eventually(10'000, [this] { return gateway->pipeline().ledger.received == 1; }));
  before = gateway->pipeline().checkpoint.last_id;
  size_t asked = 0;
  auto ask = [&](const std::string& command) {
    CHECK_TRUE(gateway->publish("box/control", command));
    ++asked;
    CHECK_TRUE(eventually(10'000, [&] { return gateway->results().size() >= asked; }));
    return gateway->results().back().payload;
  };
  // It may not have subscribed yet: then nobody answers.
  CHECK_TRUE(gateway->broker().wait_for_subscription("box-control"));
  const std::string answer = ask("checkpoint\n");
  const ObservedPipeline pipeline = gateway->pipeline();
  CHECK_TRUE(pipeline.checkpoint.last_id > before);
  STRCMP_CONTAINS(("per-second: checkpoint " + std::to_string(pipeline.checkpoint.last_id)).c_str(), answer.c_str());
  STRCMP_CONTAINS("per-second: checkpoint ", ask("checkpoint per-second").c_str());
  STRCMP_CONTAINS("error: there is no pipeline \"other\"", ask("checkpoint other").c_str());
  STRCMP_CONTAINS("error: unknown command", ask("status").c_str());
  STRCMP_CONTAINS("error: unknown command", ask("").c_str());
  STRCMP_CONTAINS("too long", ask(std::string(300, 'x')).c_str());
  UNSIGNED_LONGS_EQUAL(asked, gateway->results().size());
}
