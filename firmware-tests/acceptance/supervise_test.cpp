// `weir supervise` with real agents: restarts, silence, signals, exit codes, the device.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "firmware-tests/acceptance/gateway_fixture.h"
#include "firmware-tests/support/notify_socket.h"

namespace {

using namespace weir;

TEST_GROUP_BASE(Supervise, GatewayTest) {
  Process supervisor;
  std::string hang;
  std::string log_path;
  std::string device;
  int reader = -1;
  std::vector<std::string> options;
  std::vector<std::string> environment;

  void setup() override {
    prepare();
    hang = gateway->directory().file("hang");
    log_path = gateway->directory().file("supervise.log");
    environment = {"WEIR_HANG=" + hang};
    options = {"--restart", "fixed-delay", "--attempts", "100", "--delay", "50ms"};
  }
  void teardown() override {
    if (UtestShell::getCurrent()->hasFailed()) printf("\n--- the supervisor's log\n%s---\n", log().c_str());
    supervisor.signal(SIGTERM);
    supervisor.wait(10'000);
    supervisor.kill_and_wait();
    if (reader >= 0) close(reader);
    GatewayTest::teardown();
  }
  void make_device() {
    device = gateway->directory().file("watchdog");
    LONGS_EQUAL(0, mkfifo(device.c_str(), 0600));
    reader = open(device.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    options.insert(options.end(), {"--watchdog-device", device, "--watchdog-device-timeout", "1s"});
  }
  std::string written() {
    std::string all;
    char bytes[64];
    for (ssize_t count = 0; (count = read(reader, bytes, sizeof bytes)) > 0;) all.append(bytes, static_cast<size_t>(count));
    return all;
  }
  void supervise(const std::vector<std::string>& command) {
    ProcessOptions process;
    process.arguments = {WEIR_AGENT, "supervise"};
    process.arguments.insert(process.arguments.end(), options.begin(), options.end());
    process.arguments.push_back("--");
    process.arguments.insert(process.arguments.end(), command.begin(), command.end());
    process.environment = environment;
    process.output_path = process.error_path = log_path;
    CHECK_TRUE(supervisor.start(process).ok());
  }
  void supervise_agent() {
    CHECK_TRUE(gateway->start_broker());
    gateway->write_config();
    supervise({WEIR_HANGING, "run", gateway->config_path()});
    CHECK_TRUE_TEXT(wait_agent(0) > 0, "the agent did not become ready");
  }
  std::string log() const { return read_whole_file(log_path); }
  /// The pid of a ready agent that is not `other`; 0: none in time.
  pid_t wait_agent(pid_t other) {
    pid_t pid = 0;
    eventually(20'000, [&] {
      const Result<ObservedAgent> agent = gateway->agent().status();
      pid = agent.ok() && agent.value().ready && agent.value().pid != other ? static_cast<pid_t>(agent.value().pid) : 0;
      return pid > 0;
    });
    return pid;
  }
  int end_code() {
    const std::optional<ProcessEnd> end = supervisor.wait(15'000);
    CHECK_TRUE_TEXT(end.has_value(), "the supervisor still runs");
    return end->exit_code;
  }
};

TEST(Supervise, starts_an_agent_again_that_was_killed) {
  supervise_agent();
  const pid_t first = wait_agent(0);
  kill(first, SIGKILL);
  CHECK_TRUE(wait_agent(first) > 0);
  STRCMP_CONTAINS("was ended by signal 9; next start in 50 ms", log().c_str());
}

TEST(Supervise, aborts_a_hanging_agent_and_starts_it_again) {
  options.insert(options.end(), {"--watchdog", "1s"});
  supervise_agent();
  const pid_t first = wait_agent(0);
  CHECK_TRUE(write_whole_file(hang, "").ok());
  CHECK_TRUE(eventually(10'000, [&] { return log().find("is silent") != std::string::npos; }));
  LONGS_EQUAL(0, remove(hang.c_str()));
  CHECK_TRUE(wait_agent(first) > 0);
  STRCMP_CONTAINS("the reactor has made no progress", log().c_str());
  STRCMP_CONTAINS("was ended by signal 6", log().c_str());
}

TEST(Supervise, aborts_an_agent_that_is_stopped_and_starts_it_again) {
  options.insert(options.end(), {"--watchdog", "1s"});
  supervise_agent();
  const pid_t first = wait_agent(0);
  kill(first, SIGSTOP);
  CHECK_TRUE(wait_agent(first) > 0);
}

TEST(Supervise, stops_with_its_agent_on_sigterm_and_sigint) {
  for (const int number : {SIGTERM, SIGINT}) {
    supervise_agent();
    supervisor.signal(number);
    LONGS_EQUAL(0, end_code());
    STRCMP_CONTAINS("stopped", log().c_str());
    CHECK_TRUE(gateway->broker().stop().ok());
  }
}

TEST(Supervise, hands_signals_on) {
  supervise_agent();
  supervisor.signal(SIGHUP);
  CHECK_TRUE(eventually(5'000, [&] { return log().find("reload: reloaded in") != std::string::npos; }));
}

TEST(Supervise, passes_exit_codes_on_that_another_start_would_not_change) {
  supervise({"sh", "-c", "exit 78"});
  LONGS_EQUAL(78, end_code());
  supervise({"sh", "-c", "exit 65"});
  LONGS_EQUAL(65, end_code());
  supervise({"sh", "-c", "exit 0"});
  LONGS_EQUAL(0, end_code());
  supervise({gateway->directory().file("no-such-program")});
  LONGS_EQUAL(127, end_code());
  CHECK_TRUE(log().find("next start") == std::string::npos);
}

TEST(Supervise, gives_up_when_the_strategy_says_so) {
  options = {"--restart", "fixed-delay", "--attempts", "2", "--delay", "10ms"};
  supervise({"sh", "-c", "echo one >> " + gateway->directory().file("starts") + "; exit 7"});
  LONGS_EQUAL(7, end_code());
  STRCMP_EQUAL("one\none\none\n", read_whole_file(gateway->directory().file("starts")).c_str());
  STRCMP_CONTAINS("allows no further start", log().c_str());
}

TEST(Supervise, kills_the_whole_group_of_a_program_that_never_becomes_ready) {
  options = {"--restart", "none", "--start-timeout", "300ms", "--abort-timeout", "300ms"};
  const std::string pid_file = gateway->directory().file("pid");
  supervise(
      {"sh", "-c", "trap '' ABRT; (trap '' ABRT; echo $$ > /dev/null; sleep 1000) & echo $! > " + pid_file + "; wait; wait"});
  LONGS_EQUAL(137, end_code());
  const pid_t left = static_cast<pid_t>(atoi(read_whole_file(pid_file).c_str()));
  CHECK_TRUE(left > 0);
  CHECK_TRUE(eventually(5'000, [&] {
    return kill(left, 0) != 0 || read_whole_file("/proc/" + std::to_string(left) + "/stat").find(") Z") != std::string::npos;
  }));
}

TEST(Supervise, pets_the_device_and_disarms_it_at_an_orderly_end) {
  make_device();
  supervise_agent();
  CHECK_TRUE(eventually(5'000, [&] { return log().find("is armed") != std::string::npos; }));
  sleep_ms(1'500);
  supervisor.signal(SIGTERM);
  LONGS_EQUAL(0, end_code());
  const std::string bytes = written();
  CHECK_TRUE(bytes.size() >= 5);
  CHECK_TRUE(bytes.ends_with("\nV"));
  UNSIGNED_LONGS_EQUAL(bytes.size() - 1, bytes.find('V'));
}

TEST(Supervise, leaves_the_device_armed_when_it_gives_up) {
  options = {"--restart", "none"};
  make_device();
  supervise_agent();
  CHECK_TRUE(eventually(5'000, [&] { return log().find("is armed") != std::string::npos; }));
  kill(wait_agent(0), SIGKILL);
  LONGS_EQUAL(137, end_code());
  const std::string bytes = written();
  CHECK_TRUE(!bytes.empty() && bytes.find('V') == std::string::npos);
}

TEST(Supervise, does_not_touch_the_device_before_the_agent_was_ready) {
  make_device();
  supervise({"sh", "-c", "exit 78"});
  LONGS_EQUAL(78, end_code());
  STRCMP_EQUAL("", written().c_str());
}

TEST(Supervise, tells_its_own_service_manager_what_the_agent_tells) {
  NotifySocket manager(gateway->directory().file("notify"));
  environment.push_back("NOTIFY_SOCKET=" + manager.path());
  environment.push_back("WATCHDOG_USEC=2000000");
  supervise_agent();
  CHECK_TRUE(manager.wait_for("READY=1"));
  CHECK_TRUE(manager.wait_for("STATUS=1 of 1 pipelines connected"));
  CHECK_TRUE(manager.wait_for("WATCHDOG=1"));
  supervisor.signal(SIGTERM);
  CHECK_TRUE(manager.wait_for("STOPPING=1"));
}

TEST(Supervise, refuses_what_it_does_not_understand) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--watchdog", "soon", "--", "true"},
                                                {"--restart", "always", "--", "true"},
                                                {
                                                    "--",
                                                },
                                                {"true"},
                                                {"--attempts", "x", "--", "true"}}) {
    std::vector<std::string> arguments = {WEIR_AGENT, "supervise"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    LONGS_EQUAL(64, run_process(arguments).end.exit_code);
  }
}

}  // namespace
