// The watchdog of a real agent: it beats while all gets on, names the thread that does not, and lets a slow disk be slow.
#include <csignal>

#include "firmware-tests/acceptance/gateway_fixture.h"
#include "firmware-tests/support/notify_socket.h"

namespace {

using namespace weir;

TEST_GROUP_BASE(Watchdog, GatewayTest) {
  std::string hang;
  std::string hang_sync;
  std::unique_ptr<NotifySocket> manager;

  void prepare_hanging_agent() {
    gateway = std::make_unique<TestGateway>(per_second_config, WEIR_HANGING);
    hang = gateway->directory().file("hang");
    hang_sync = gateway->directory().file("hang-sync");
    gateway->agent().options().environment = {"WEIR_HANG=" + hang, "WEIR_HANG_SYNC=" + hang_sync};
  }
  void set(const std::string& setting) { gateway->agent().options().settings.push_back(setting); }
  void manage(const std::string& watchdog_usec) {
    manager = std::make_unique<NotifySocket>(gateway->directory().file("notify"));
    CHECK_TRUE(manager->open());
    gateway->agent().options().environment.push_back("NOTIFY_SOCKET=" + manager->path());
    gateway->agent().options().environment.push_back("WATCHDOG_USEC=" + watchdog_usec);
  }
  void begin_hang(const std::string& file) { CHECK_TRUE(write_whole_file(file, "").ok()); }
  void end_hang(const std::string& file) { LONGS_EQUAL(0, remove(file.c_str())); }
  void expect_abort() {
    const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
    CHECK_TRUE_TEXT(end.has_value(), "the agent still runs");
    LONGS_EQUAL(SIGABRT, end->signal);
  }
};

TEST(Watchdog, ends_an_agent_whose_reactor_hangs_and_names_it_and_the_next_start_loses_nothing) {
  prepare_hanging_agent();
  set("agent.watchdog=1s");
  CHECK_TRUE(gateway->start());
  for (int number = 0; number < 50; ++number) measure("d1", number, number * 10);
  CHECK_TRUE(gateway->wait_received(50));
  begin_hang(hang);
  for (int number = 0; number < 30; ++number) measure("d2", number, 500 + number * 10);
  expect_abort();
  const std::string log = gateway->agent().log();
  STRCMP_CONTAINS("ALARM: watchdog: the reactor has made no progress for", log.c_str());
  STRCMP_CONTAINS("watchdog: stack of the reactor: weir_hanging+0x", log.c_str());
  STRCMP_CONTAINS("ending with SIGABRT", log.c_str());
  end_hang(hang);
  CHECK_TRUE(gateway->start_agent());
  CHECK_TRUE(gateway->wait_received(80));
  UNSIGNED_LONGS_EQUAL(80, gateway->pipeline().ledger.applied);
}

TEST(Watchdog, lets_a_slow_disk_be_slow) {
  prepare_hanging_agent();
  set("agent.watchdog=1s");
  CHECK_TRUE(gateway->start());
  begin_hang(hang_sync);
  measure("d1", 1, 0);
  sleep_ms(3'000);
  CHECK_TRUE(gateway->agent().running());
  end_hang(hang_sync);
  CHECK_TRUE(gateway->wait_received(1));
  CHECK_TRUE(gateway->agent().log().find("ALARM") == std::string::npos);
  // The history of a commit is part of the checkpoint after it.
  measure("d1", 2, 10);
  CHECK_TRUE(gateway->wait_received(2));
  CHECK_TRUE(gateway->stop_agent());
  const std::vector<std::string> check = {"check", gateway->config_path(), "--against", gateway->state_dir(), "--set"};
  const auto with = [&check](const std::string& setting) {
    std::vector<std::string> words = check;
    words.push_back(setting);
    return words;
  };
  STRCMP_CONTAINS("warning: a commit of the pipeline \"per-second\" took",
                  gateway->weir(with("agent.watchdog=1s")).error.c_str());
  CHECK_TRUE(gateway->weir(with("agent.watchdog=10min")).error.find("a commit") == std::string::npos);
}

TEST(Watchdog, a_slow_disk_costs_no_processor_time_although_steps_wait_for_theirs) {
  prepare_hanging_agent();
  gateway->replace("  [[pipeline.step]]\n  id = \"windows\"",
                   "  [[pipeline.step]]\n  id = \"silence\"\n  key_by = [\"device\"]\n  absence = { after = \"1h\" }\n\n"
                   "  [[pipeline.step]]\n  id = \"windows\"");
  gateway->replace("total = \"sum(value)\", low = \"min(value)\", high = \"max(value)\", mean = \"avg(value)\"",
                   "total = \"sum(silent_ms)\"");
  CHECK_TRUE(gateway->start());
  begin_hang(hang_sync);
  measure("d1", 1, 0);
  sleep_ms(1'000);
  const std::optional<ProcessUsage> before = process_usage(gateway->agent().pid());
  sleep_ms(2'000);
  const std::optional<ProcessUsage> after = process_usage(gateway->agent().pid());
  CHECK_TRUE(before.has_value() && after.has_value());
  CHECK_TRUE(after->cpu_us - before->cpu_us < 500'000);
  end_hang(hang_sync);
  CHECK_TRUE(gateway->wait_received(1));
}

TEST(Watchdog, ends_an_agent_whose_disk_takes_longer_than_the_checkpoint_may) {
  prepare_hanging_agent();
  set("agent.watchdog=1s");
  set("pipeline.per-second.checkpoint.timeout=2s");
  CHECK_TRUE(gateway->start());
  begin_hang(hang_sync);
  measure("d1", 1, 0);
  expect_abort();
  STRCMP_CONTAINS("the storage thread has made no progress for", gateway->agent().log().c_str());
  end_hang(hang_sync);
  CHECK_TRUE(gateway->start_agent());
  CHECK_TRUE(gateway->wait_received(1));
}

TEST(Watchdog, beats_for_a_service_manager_at_half_its_time_at_most) {
  prepare_hanging_agent();
  manage("800000");
  CHECK_TRUE(gateway->start());
  CHECK_TRUE(manager->wait_for("READY=1"));
  CHECK_TRUE(manager->count("EXTEND_TIMEOUT_USEC=") > 0);
  const size_t since = manager->messages().size();
  manager->listen(4'000);
  CHECK_TRUE(manager->count("WATCHDOG=1", since) >= 10);
  CHECK_TRUE(manager->count("EXTEND_TIMEOUT_USEC=", since) <= 1);  // one may be on its way when the start is over
  CHECK_TRUE(gateway->stop_agent());
  CHECK_TRUE(manager->wait_for("STOPPING=1"));
}

TEST(Watchdog, stops_beating_when_the_reactor_hangs_and_begins_again_when_it_goes_on) {
  prepare_hanging_agent();
  manage("1000000");
  CHECK_TRUE(gateway->start());
  begin_hang(hang);
  manager->listen(1'500);
  const size_t since = manager->messages().size();
  manager->listen(1'500);
  UNSIGNED_LONGS_EQUAL(0, manager->count("WATCHDOG=1", since));
  CHECK_TRUE_TEXT(gateway->agent().running(), "the end is the service manager's to decide");
  end_hang(hang);
  CHECK_TRUE(manager->wait_for("WATCHDOG=1", 5'000, since));
  STRCMP_CONTAINS("the reactor goes on after", gateway->agent().log().c_str());
}

TEST(Watchdog, a_wrong_WATCHDOG_USEC_is_told) {
  prepare_hanging_agent();
  manage("soon");
  CHECK_TRUE(gateway->start());
  STRCMP_CONTAINS("WATCHDOG_USEC=soon is no number of microseconds", gateway->agent().log().c_str());
}

}  // namespace
