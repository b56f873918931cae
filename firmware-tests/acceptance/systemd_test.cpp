// The unit that ships, under a real systemd that runs as PID 1 of private namespaces (firmware-tests/systemd/): nothing of it
// reaches the machine. Needs root and systemd's programs; skipped by name elsewhere.
#include <unistd.h>

#include <cstdlib>

#include "firmware-tests/acceptance/gateway_fixture.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/process.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

namespace {

using namespace weir;

/// The usual pipeline. The broker is started by the scenario; its port is of a network of its own.
std::string unit_config() {
  std::string config = per_second_config;
  for (const auto& [name, value] : {std::pair("@STATE@", "/var/lib/weir"), std::pair("@BROKER@", "mqtt://127.0.0.1:18830")})
    config.replace(config.find(name), std::string_view(name).size(), value);
  return config;
}

TEST_GROUP(Systemd) {
  TemporaryDirectory directory;

  bool can_boot() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    UT_PRINT("skipped: the unit forbids what a sanitizer needs");
    return false;
#endif
    bool can = geteuid() == 0;
    for (const char* program : {"/lib/systemd/systemd", "/usr/bin/unshare", "/usr/bin/nsenter", "/usr/bin/script",
                                "/usr/sbin/mosquitto", "/usr/bin/mosquitto_pub"})
      can = can && access(program, X_OK) == 0;
    if (!can) UT_PRINT("skipped: needs root, systemd, util-linux, script and mosquitto");
    return can;
  }
  static std::string copy(const std::string& from, const std::string& to) {
    CHECK_TRUE(write_whole_file(to, read_whole_file(from)).ok());
    return to;
  }
  std::string make_units() {
    const std::string units = directory.file("units");
    LONGS_EQUAL(0, run_process({"mkdir", units}).end.exit_code);
    copy(WEIR_SOURCE_DIR "/configs/weir.service", units + "/weir.service");
    for (const char* target : {"sysinit", "basic", "shutdown"})
      CHECK_TRUE(write_whole_file(units + "/" + target + ".target", "[Unit]\n").ok());
    return units;
  }
  /// Runs the scenario of that name; what it says when it fails becomes the failure.
  void play(const std::string& scenario) {
    if (!can_boot()) return;
    const std::string units = make_units();
    const std::string tools = WEIR_SOURCE_DIR "/firmware-tests/systemd";
    CHECK_TRUE(write_whole_file(directory.file("weir.toml"), unit_config()).ok());
    LONGS_EQUAL(0, run_process({"cp", tools + "/in-systemd", tools + "/scenario", tools + "/../support/until_true.sh",
                                WEIR_HANGING, directory.path()})
                       .end.exit_code);
    const ProcessResult result = run_process({directory.file("in-systemd"), units, "basic.target", directory.file("scenario"),
                                              scenario, directory.file("weir_hanging"), directory.file("weir.toml"), units},
                                             90'000, {"WORK=" + directory.path(), "LOG=" + directory.file("console.log")});
    const std::string told = result.output + result.error + read_whole_file(directory.file("console.log"));
    CHECK_TRUE_TEXT(result.finished && result.end.exit_code == 0, told.c_str());
    STRCMP_CONTAINS(("as it should be: " + scenario).c_str(), result.output.c_str());
  }
};

TEST(Systemd, an_orderly_stop_leaves_a_checkpoint_and_is_no_failure) { play("stop"); }
TEST(Systemd, a_hanging_reactor_is_named_and_aborted_and_the_agent_recovers) { play("hang"); }
TEST(Systemd, a_stopped_process_is_aborted_and_started_again) { play("stopped-process"); }
TEST(Systemd, a_crash_is_followed_by_a_start_that_has_lost_nothing) { play("crash"); }
TEST(Systemd, a_crash_loop_ends_at_the_start_limit) { play("crash-loop"); }
TEST(Systemd, a_wrong_configuration_is_not_started_again) { play("config-error"); }
TEST(Systemd, a_reload_takes_a_change_over_and_a_wrong_one_stops_nothing) { play("reload"); }
TEST(Systemd, works_within_the_limit_that_the_plan_advises) { play("memory-limit"); }
TEST(Systemd, takes_its_password_from_a_credential_of_the_unit) { play("credential"); }
TEST(Systemd, damaged_state_is_not_started_again) { play("corrupt"); }

TEST(Systemd, finds_nothing_wrong_with_the_unit_and_little_exposure) {
  if (access("/usr/bin/systemd-analyze", X_OK) != 0) {
    UT_PRINT("skipped: there is no systemd-analyze");
    return;
  }
  const std::string unit = directory.file("weir.service");
  const std::string text = read_whole_file(WEIR_SOURCE_DIR "/configs/weir.service");
  const size_t at = text.find("/usr/bin/weir");
  CHECK_TRUE(at != std::string::npos);
  CHECK_TRUE(write_whole_file(unit, std::string(text).replace(at, 13, "/bin/true")).ok());
  const ProcessResult verified = run_process({"systemd-analyze", "verify", "--man=no", unit});
  STRCMP_EQUAL("", verified.error.c_str());
  LONGS_EQUAL(0, verified.end.exit_code);
  LONGS_EQUAL(0, run_process({"systemd-analyze", "security", "--offline=true", "--threshold=15", unit}).end.exit_code);
}

}  // namespace
