// The agent as a process: exit codes, the lock, the service manager, the command line.
#include "firmware-tests/acceptance/gateway_fixture.h"
#include "firmware-tests/support/notify_socket.h"

#include <unistd.h>

#include <csignal>
#include <cstring>
#include <vector>

namespace {

using namespace weir;

class AgentProcessTest : public GatewayTest {
 public:
  std::string write(const char* name, const std::string& text) {
    const std::string path = gateway->directory().file(name);
    CHECK_TRUE(write_whole_file(path, text).ok());
    return path;
  }  // namespace
};

TEST_GROUP_BASE(AgentProcess, AgentProcessTest){};

TEST(AgentProcess, refuses_a_state_directory_that_another_agent_holds_and_names_its_pid) {
  start();
  const ProcessResult second = gateway->weir({"run", gateway->config_path()});
  LONGS_EQUAL(75, second.end.exit_code);
  STRCMP_CONTAINS(("pid " + std::to_string(gateway->agent().pid())).c_str(), second.error.c_str());
  CHECK_TRUE(gateway->pipeline().source.connected);
  UNSIGNED_LONGS_EQUAL(1, gateway->pipeline().source.connects);
}

TEST(AgentProcess, takes_over_the_state_directory_of_a_killed_agent) {
  start();
  crash_and_restart();
  CHECK_TRUE(gateway->agent().running());
}

TEST(AgentProcess, reports_every_error_of_a_configuration_and_exits_with_78) {
  prepare();
  const std::string path = write("bad.toml",
                                 "[agent]\n"
                                 "nmae = \"x\"\n"
                                 "memory_limit = \"8 parsecs\"\n"
                                 "[mqtt.local]\n"
                                 "url = 7\n"
                                 "[[pipeline]]\n"
                                 "name = \"p\"\n"
                                 "checkpoint = { interval = \"5 fortnights\" }\n"
                                 "  [pipeline.source]\n"
                                 "  mqtt = \"remote\"\n"
                                 "  topics = [\"a/#/b\"]\n"
                                 "  fields = { v = \"flaot\" }\n"
                                 "  [pipeline.sink]\n"
                                 "  mqtt = \"local\"\n"
                                 "  topic = \"out\"\n");
  for (const char* command : {"check", "run", "plan"}) {
    const ProcessResult result = gateway->weir({command, path});
    LONGS_EQUAL_TEXT(78, result.end.exit_code, command);
    for (const char* place :
         {"bad.toml:2:", "bad.toml:3:", "bad.toml:5:", "bad.toml:8:", "bad.toml:10:", "bad.toml:11:", "bad.toml:12:"}) {
      STRCMP_CONTAINS_TEXT(place, result.error.c_str(), command);
    }
    STRCMP_CONTAINS("\"name\"", result.error.c_str());
    STRCMP_CONTAINS("float", result.error.c_str());
  }
}

TEST(AgentProcess, reports_an_unknown_field_of_an_expression_with_its_place) {
  prepare();
  gateway->replace("filter = \"value > -1000\"", "filter = \"valeu > -1000\"");
  gateway->write_config();
  const ProcessResult result = gateway->weir({"check", gateway->config_path()});
  LONGS_EQUAL(78, result.end.exit_code);
  STRCMP_CONTAINS("weir.toml:21:13", result.error.c_str());
  STRCMP_CONTAINS("value", result.error.c_str());
}

TEST(AgentProcess, refuses_a_configuration_that_exceeds_its_memory_limit) {
  prepare();
  gateway->replace("name = \"box\"", "name = \"box\"\nmemory_limit = \"1MiB\"");
  gateway->write_config();
  LONGS_EQUAL(78, gateway->weir({"run", gateway->config_path()}).end.exit_code);
  LONGS_EQUAL(78, gateway->weir({"plan", gateway->config_path()}).end.exit_code);
}

TEST(AgentProcess, tells_the_service_manager_when_it_is_ready_and_when_it_stops) {
  prepare();
  NotifySocket manager(gateway->directory().file("notify"));
  gateway->agent().options().environment = {"NOTIFY_SOCKET=" + manager.path()};
  CHECK_TRUE(gateway->start());
  CHECK_TRUE(manager.wait_for("READY=1"));
  CHECK_TRUE(manager.wait_for("STATUS=1 of 1 pipelines connected"));
  CHECK_TRUE(gateway->stop_agent());
  CHECK_TRUE(manager.wait_for("STOPPING=1"));
}

TEST(AgentProcess, ends_with_0_on_sigterm_and_on_sigint) {
  start();
  CHECK_TRUE(gateway->stop_agent());
  CHECK_TRUE(gateway->start_agent());
  gateway->agent().process().signal(SIGINT);
  const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
  CHECK_TRUE(end.has_value());
  LONGS_EQUAL(0, end->exit_code);
}

TEST(AgentProcess, stops_in_time_while_its_broker_is_away) {
  start();
  measure("d", 1, 0);
  CHECK_TRUE(gateway->wait_received(1));
  CHECK_TRUE(gateway->broker().stop().ok());
  const int64_t before_ms = monotonic_ms();
  CHECK_TRUE(gateway->stop_agent());
  CHECK_TRUE(monotonic_ms() - before_ms < 8000);
}

TEST(AgentProcess, shows_its_status_to_people_and_programs) {
  start();
  measure("d", 1, 0);
  CHECK_TRUE(gateway->wait_received(1));
  const ProcessResult text = gateway->weir({"status", gateway->config_path()});
  LONGS_EQUAL(0, text.end.exit_code);
  STRCMP_CONTAINS("per-second", text.output.c_str());
  const ProcessResult json = gateway->weir({"status", "--state-dir", gateway->state_dir(), "--json"});
  LONGS_EQUAL(0, json.end.exit_code);
  const Result<ObservedAgent> agent = parse_status(json.output);
  CHECK_TRUE(agent.ok());
  LONGS_EQUAL(gateway->agent().pid(), agent.value().pid);
  STRCMP_EQUAL("box", agent.value().name.c_str());
  UNSIGNED_LONGS_EQUAL(1, agent.value().pipelines.front().ledger.applied);
}

TEST(AgentProcess, has_no_status_when_it_is_not_running) {
  start();
  gateway->crash();
  const ProcessResult result = gateway->weir({"status", gateway->config_path()});
  LONGS_EQUAL(1, result.end.exit_code);
  CHECK_TRUE(!result.error.empty());
}

TEST(AgentProcess, helps_with_every_command) {
  prepare();
  for (const char* command : {"run", "check", "plan", "status", "dead-letters", "schema"}) {
    const ProcessResult result = gateway->weir({command, "--help"});
    LONGS_EQUAL_TEXT(0, result.end.exit_code, command);
    STRCMP_CONTAINS_TEXT(command, result.output.c_str(), command);
  }
  LONGS_EQUAL(0, gateway->weir({"--help"}).end.exit_code);
  STRCMP_CONTAINS("weir ", gateway->weir({"--version"}).output.c_str());
  LONGS_EQUAL(64, gateway->weir({"rnu"}).end.exit_code);
  LONGS_EQUAL(64, gateway->weir({"run", "--no-such-option"}).end.exit_code);
}

}  // namespace
