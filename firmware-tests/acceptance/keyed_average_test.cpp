// examples/keyed_average, an agent with an operator of its own: Flink's example of keyed state, with kills between the inputs.
#include "firmware-tests/acceptance/gateway_fixture.h"

#include <map>
#include <vector>

namespace {

using namespace weir;

constexpr const char* example = WEIR_SOURCE_DIR "/examples/keyed_average/";

/// The example's configuration with the test's broker and state directory, and quick checkpoints.
std::string example_config() {
  std::string text =
      "[agent]\nname = \"box\"\nstate_dir = \"@STATE@\"\n" + read_whole_file(std::string(example) + "keyed_average.toml");
  const auto replace = [&text](const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    CHECK_TRUE_TEXT(at != std::string::npos, from.c_str());
    text.replace(at, from.size(), to);
  };
  replace("mqtt://127.0.0.1:1883", "@BROKER@");
  replace("interval = \"1s\"", "interval = \"20ms\", min_pause = \"1ms\"");
  return text;
}

class KeyedAverageTest : public GatewayTest {
 public:
  const std::vector<int> values = {3, 5, 7, 4, 2};

  void start_example() {
    gateway = std::make_unique<TestGateway>(example_config(), WEIR_KEYED_AVERAGE);
    gateway->listen_to("averages/#");
    CHECK_TRUE_TEXT(gateway->start(), "the gateway did not come up");
  }
  void send(size_t index) {
    CHECK_TRUE(gateway->publish("numbers", "{\"key\":1,\"value\":" + std::to_string(values[index]) + "}"));
  }
  /// (1,4) and (1,5) must have come, each with a weir-id of its own, and nothing else.
  void check_averages() {
    CHECK_TRUE(gateway->wait_received(values.size()));
    CHECK_TRUE(gateway->wait_results(2));
    CHECK_TRUE(eventually(5000, [this] { return gateway->pipeline().outbox.rows == 0; }));
    std::map<std::string, std::string> payloads;
    std::vector<std::string> in_order;
    for (const ReceivedMessage& result : gateway->results()) {
      STRCMP_EQUAL("averages/1", result.topic.c_str());
      const auto [at, is_new] = payloads.try_emplace(result.weir_id, result.payload);
      STRCMP_EQUAL(at->second.c_str(), result.payload.c_str());
      if (is_new) in_order.push_back(result.payload);
    }
    UNSIGNED_LONGS_EQUAL(2, in_order.size());
    STRCMP_EQUAL("{\"key\":1,\"average\":4}", in_order[0].c_str());
    STRCMP_EQUAL("{\"key\":1,\"average\":5}", in_order[1].c_str());
    UNSIGNED_LONGS_EQUAL(0, gateway->status().memory.weir_allocations);
    const ObservedPipeline pipeline = gateway->pipeline();
    LONGS_EQUAL(0, pipeline.imbalance);
    UNSIGNED_LONGS_EQUAL(values.size(), pipeline.ledger.applied);
  }
  /// A kill before the input at `position`, once its forerunners are in a checkpoint, or at once.
  void kill_before(size_t position, bool after_checkpoint) {
    start_example();
    for (size_t index = 0; index < values.size(); ++index) {
      if (index == position) {
        if (after_checkpoint) CHECK_TRUE(gateway->wait_received(position));
        crash_and_restart();
      }
      send(index);
    }
    check_averages();
    gateway.reset();
  }
  static ProcessResult replay(const char* program, const char* config) {
    return run_process(
        {program, "replay", "--config", std::string(example) + config, "--input", std::string(example) + "numbers.jsonl"});
  }
};

TEST_GROUP_BASE(KeyedAverage, KeyedAverageTest){};

TEST(KeyedAverage, survives_a_kill_between_any_two_inputs) {
  for (size_t position = 0; position < values.size(); ++position) kill_before(position, true);
}

TEST(KeyedAverage, survives_a_kill_between_any_two_inputs_before_they_are_in_a_checkpoint) {
  for (size_t position = 1; position < values.size(); ++position) kill_before(position, false);
}

TEST(KeyedAverage, survives_a_kill_between_all_inputs_and_after_the_last) {
  start_example();
  for (size_t index = 0; index < values.size(); ++index) {
    send(index);
    if (index % 2 == 0) CHECK_TRUE(gateway->wait_received(index + 1));
    crash_and_restart();
  }
  check_averages();
}

TEST(KeyedAverage, gives_the_averages_of_the_documentation) {
  const ProcessResult from_toml = replay(WEIR_KEYED_AVERAGE, "keyed_average.toml");
  STRCMP_EQUAL("{\"key\":1,\"average\":4}\n{\"key\":1,\"average\":5}\n", from_toml.output.c_str());
  const ProcessResult from_program = replay(WEIR_KEYED_AVERAGE_STREAM, "stream.toml");
  STRCMP_EQUAL(from_toml.output.c_str(), from_program.output.c_str());
  LONGS_EQUAL(0, from_program.end.exit_code);
}

TEST(KeyedAverage, is_known_to_check_plan_and_schema) {
  const std::string config = std::string(example) + "keyed_average.toml";
  LONGS_EQUAL(0, run_process({WEIR_KEYED_AVERAGE, "check", config}).end.exit_code);
  STRCMP_CONTAINS("averages.average.slots", run_process({WEIR_KEYED_AVERAGE, "plan", config}).output.c_str());
  STRCMP_CONTAINS("{ \"const\": \"keyed-average\" }", run_process({WEIR_KEYED_AVERAGE, "schema"}).output.c_str());
  STRCMP_CONTAINS("## operator = \"keyed-average\"", run_process({WEIR_KEYED_AVERAGE, "schema", "--markdown"}).output.c_str());
  const ProcessResult bad =
      run_process({WEIR_KEYED_AVERAGE, "check", config, "--set", "pipeline.averages.step.average.options.count=0"});
  LONGS_EQUAL(78, bad.end.exit_code);
  STRCMP_CONTAINS("\"count\" must be from 1 to 1000000, not 0", bad.error.c_str());
  // The agent without the operator says so.
  const ProcessResult plain = run_process({agent_program(), "check", config});
  LONGS_EQUAL(78, plain.end.exit_code);
  STRCMP_CONTAINS("unknown operator \"keyed-average\"", plain.error.c_str());
}

TEST(KeyedAverage, a_pipeline_of_the_program_is_part_of_its_configuration) {
  const std::string config = std::string(example) + "stream.toml";
  STRCMP_CONTAINS("ok: 1 pipeline", run_process({WEIR_KEYED_AVERAGE_STREAM, "check", config}).output.c_str());
  const ProcessResult bad =
      run_process({WEIR_KEYED_AVERAGE_STREAM, "check", config, "--set", "pipeline.averages.step.average.max_keys=none"});
  LONGS_EQUAL(78, bad.end.exit_code);
  // Mistakes in the program's part have a place in it.
  const ProcessResult without_broker =
      run_process({WEIR_KEYED_AVERAGE_STREAM, "check", std::string(example) + "keyed_average.toml"});
  LONGS_EQUAL(78, without_broker.end.exit_code);
  STRCMP_CONTAINS("averages (in the program):2:9: error: two pipelines have the name \"averages\"",
                  without_broker.error.c_str());
}

}  // namespace
