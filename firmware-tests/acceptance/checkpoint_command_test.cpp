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
