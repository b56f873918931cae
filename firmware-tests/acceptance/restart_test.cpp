// Restart strategies with real processes: one pipeline fails again and again, the other runs on; deaths of the process count.
#include "firmware-tests/acceptance/gateway_fixture.h"

namespace {

using namespace weir;

std::string pipeline_text(const std::string& name, const std::string& options) {
  return "[[pipeline]]\nname = \"" + name + "\"\n" + options + "  [pipeline.source]\n  mqtt = \"local\"\n  topics = [\"" +
         name +
         "/+\"]\n  format = \"json\"\n  fields = { device = \"topic[1]\", value = \"float\" }\n"
         "  [[pipeline.step]]\n  filter = \"value > 0\"\n"
         "  [pipeline.sink]\n  mqtt = \"local\"\n  topic = \"results/" +
         name + "\"\n  format = \"json\"\n";
}

/// What it has taken in waits for a checkpoint that never comes: a second later it has failed.
const std::string two_pipelines =
    agent_table() +
    pipeline_text("bad",
                  "checkpoint = { interval = \"1h\", max_age = \"1s\", on_max_age = \"restart\" }\n"
                  "restart = { strategy = \"failure-rate\", max_failures = 2, interval = \"5min\", delay = \"100ms\" }\n") +
    pipeline_text("good", "checkpoint = { interval = \"30ms\", min_pause = \"1ms\" }\n");

class RestartTest : public GatewayTest {
 public:
  std::string state_of(const std::string& pipeline) {
    const std::string text = gateway->weir({"status", "--state-dir", gateway->state_dir()}).output;
    const size_t at = text.find("pipeline " + pipeline + ": ");
    const size_t begin = at + pipeline.size() + 11;
    return at == std::string::npos ? text : text.substr(begin, text.find('\n', begin) - begin);
  }
};

TEST_GROUP_BASE(Restart, RestartTest){};

TEST(Restart, of_one_pipeline_leaves_the_other_running_until_the_strategy_ends_it_and_resume_begins_anew) {
  start(two_pipelines);
  CHECK_TRUE(gateway->publish("bad/d", "{\"value\":1}"));
  uint64_t sent = 0;
  while (!says("allows no further restart", 1) && sent < 2000) {
    ++sent;
    CHECK_TRUE(gateway->publish("good/d", "{\"value\":" + std::to_string(sent) + "}"));
    usleep(20'000);
  }
  STRCMP_EQUAL("FAILED", state_of("bad").c_str());
  STRCMP_EQUAL("running", state_of("good").c_str());
  CHECK_TRUE(eventually(10'000, [&] { return gateway->pipeline("good").ledger.applied == sent; }));
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline("good").source.connects);
  CHECK_TRUE(gateway->wait_results(sent));
  LONGS_EQUAL(0, gateway->weir({"resume", "--state-dir", gateway->state_dir(), "--pipeline", "bad"}).end.exit_code);
  CHECK_TRUE(says("bad: started again"));
  CHECK_TRUE(says("failure 4: no checkpoint"));
  LONGS_EQUAL(1, gateway->weir({"resume", "--state-dir", gateway->state_dir(), "--pipeline", "ugly"}).end.exit_code);
}

TEST(Restart, deaths_of_the_process_count_and_a_stop_does_not) {
  start(agent_table() + pipeline_text("p", "restart = { strategy = \"fixed-delay\", attempts = 2, delay = \"300ms\" }\n"));
  for (int stop = 0; stop < 3; ++stop) {
    CHECK_TRUE(gateway->stop_agent());
    CHECK_TRUE(gateway->start_agent());
  }
  for (int death = 0; death < 2; ++death) crash_and_restart();
  gateway->crash();
  CHECK_TRUE(gateway->agent().start_ready().ok());
  STRCMP_EQUAL("FAILED", state_of("p").c_str());
  CHECK_TRUE(says("every pipeline has FAILED"));
  LONGS_EQUAL(0, gateway->weir({"resume", "--state-dir", gateway->state_dir()}).end.exit_code);
  CHECK_TRUE(gateway->agent().wait_connected());
  STRCMP_EQUAL("running", state_of("p").c_str());
}

}  // namespace
