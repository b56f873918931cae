// What somebody does first on a gateway: start without a configuration, ask the doctor, give a credential, ask for a drop-in.
#include <unistd.h>

#include "agent/app/command_line.h"
#include "agent/app/configuration.h"

#include "firmware-tests/acceptance/gateway_fixture.h"
#include "firmware-tests/support/process.h"

#include <CppUTest/TestHarness.h>

namespace {

using namespace weir;

TEST_GROUP_BASE(FirstSteps, GatewayTest){bool can_start_without(){const bool can = access(default_config_path, F_OK) != 0;
if (!can) UT_PRINT("skipped: there is a configuration at the default place");
return can;
}  // namespace
}
;

TEST(FirstSteps, a_start_without_a_configuration_shows_one_that_can_be_run) {
  prepare();
  if (!can_start_without()) return;
  for (const char* command : {"run", "check", "plan"}) {
    const ProcessResult result = gateway->weir({command});
    LONGS_EQUAL(78, result.end.exit_code);
    STRCMP_CONTAINS("there is no configuration: /etc/weir/weir.toml does not exist", result.error.c_str());
    STRCMP_CONTAINS(first_configuration, result.error.c_str());
    STRCMP_CONTAINS("weir doctor FILE", result.error.c_str());
  }
  const std::string path = gateway->directory().file("first.toml");
  CHECK_TRUE(write_whole_file(path, first_configuration).ok());
  const ProcessResult checked = gateway->weir({"check", path});
  LONGS_EQUAL_TEXT(0, checked.end.exit_code, checked.error.c_str());
}

TEST(FirstSteps, the_journal_gets_one_line_about_it) {
  prepare();
  if (!can_start_without()) return;
  const ProcessResult result = run_process({gateway->agent().options().program, "run"}, 10'000, {"JOURNAL_STREAM=8:1"});
  LONGS_EQUAL(78, result.end.exit_code);
  STRCMP_EQUAL(
      "weir: error: there is no configuration: /etc/weir/weir.toml does not exist; `weir run` in a terminal shows a first "
      "one\n",
      result.error.c_str());
}

TEST(FirstSteps, the_first_configuration_does_what_it_says) {
  std::string config = first_configuration;
  config.replace(config.find("mqtt://127.0.0.1:1883"), 21, "@BROKER@");
  config.replace(config.find("topic = \"hot/"), 13, "topic = \"results/hot/");  // what the listener hears
  start("[agent]\nstate_dir = \"@STATE@\"\n" + config);
  CHECK_TRUE(gateway->publish("sensors/boiler", R"({"value": 31})"));
  CHECK_TRUE(gateway->publish("sensors/boiler", R"({"value": 30})"));
  CHECK_TRUE(gateway->listener().wait_for_count(1, 20'000));
}

TEST(FirstSteps, the_doctor_finds_the_broker_or_says_what_is_wrong) {
  start();
  ProcessResult result = gateway->weir({"doctor", gateway->config_path()});
  STRCMP_CONTAINS("ok    configuration: ", result.output.c_str());
  STRCMP_CONTAINS(" can be reached\n", result.output.c_str());
  STRCMP_CONTAINS("ok    memory: the agent may come to need ", result.output.c_str());
  for (const char* check : {" files: ", " clock: ", " disk: ", " flash: ", " unit: "})
    STRCMP_CONTAINS(check, result.output.c_str());
  CHECK_TRUE(gateway->agent().running());
  CHECK_TRUE(gateway->broker().stop().ok());
  result = gateway->weir({"doctor", gateway->config_path(), "--json"});
  LONGS_EQUAL(1, result.end.exit_code);
  STRCMP_CONTAINS("{\"verdict\":\"fail\",\"check\":\"broker\",\"found\":\"mqtt.local at 127.0.0.1 port ",
                  result.output.c_str());
  STRCMP_CONTAINS("Connection refused", result.output.c_str());
}

TEST(FirstSteps, the_doctor_reads_a_wrong_configuration_too) {
  prepare();
  const std::string path = gateway->directory().file("wrong.toml");
  CHECK_TRUE(write_whole_file(path, "[agent]\nnmae = 1\n").ok());
  const ProcessResult result = gateway->weir({"doctor", path});
  LONGS_EQUAL(1, result.end.exit_code);
  STRCMP_CONTAINS("fail  configuration: ", result.output.c_str());
  STRCMP_CONTAINS("\nok    flash: ", ("\n" + result.output).c_str());
  LONGS_EQUAL(1, gateway->weir({"doctor", gateway->directory().file("none.toml")}).end.exit_code);
  LONGS_EQUAL(64, gateway->weir({"doctor", "--colour"}).end.exit_code);
}

TEST(FirstSteps, a_password_may_be_a_credential_of_the_unit) {
  prepare();
  std::string config = first_configuration;
  config.insert(config.find("    url ="), "    username = \"u\"\n    password_file = \"$CREDENTIALS_DIRECTORY/broker\"\n");
  const std::string path = gateway->directory().file("credential.toml");
  CHECK_TRUE(write_whole_file(path, config).ok());
  const std::vector<std::string> check = {gateway->agent().options().program, "check", path};
  ProcessResult result = run_process(check, 10'000);
  LONGS_EQUAL(78, result.end.exit_code);
  STRCMP_CONTAINS("there is no CREDENTIALS_DIRECTORY", result.error.c_str());
  STRCMP_CONTAINS("LoadCredential=broker:FILE", result.error.c_str());
  const std::string folder = "CREDENTIALS_DIRECTORY=" + gateway->directory().path();
  result = run_process(check, 10'000, {folder});
  LONGS_EQUAL(78, result.end.exit_code);
  STRCMP_CONTAINS("/broker\": No such file", result.error.c_str());
  CHECK_TRUE(write_whole_file(gateway->directory().file("broker"), "secret\n").ok());
  result = run_process(check, 10'000, {folder});
  LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
}

TEST(FirstSteps, the_drop_in_allows_what_the_plan_adds_up) {
  start();
  const ProcessResult result = gateway->weir({"plan", "--systemd", gateway->config_path()});
  LONGS_EQUAL(0, result.end.exit_code);
  STRCMP_CONTAINS("\n[Service]\nMemoryMax=", result.output.c_str());
  const std::string plan = gateway->weir({"plan", "--json", gateway->config_path()}).output;
  const std::string reserved = plan.substr(plan.find(':') + 1, plan.find(',') - plan.find(':') - 1);
  STRCMP_CONTAINS(("# " + reserved + " bytes are reserved").c_str(), result.output.c_str());
  const long limit = strtol(result.output.c_str() + result.output.find("MemoryMax=") + 10, nullptr, 10);
  CHECK_TRUE(limit << 20 > strtol(reserved.c_str(), nullptr, 10) * 3 / 2 + (8 << 20));
}

}  // namespace
