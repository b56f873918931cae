// The watchdog's decisions on a clock of the test's own: who is stuck, when it is told, and when the beats end.
#include <string>

#include "agent/runtime/watchdog_monitor.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

struct Reports final : WatchdogMonitor::Listener {
  std::string text;
  void on_stuck(const WatchdogMonitor::Part& part, int64_t idle_ms) override {
    text += "stuck " + std::string(part.name) + " " + std::to_string(idle_ms) + "; ";
  }
  void on_recovered(const WatchdogMonitor::Part& part, int64_t idle_ms) override {
    text += "recovered " + std::string(part.name) + " " + std::to_string(idle_ms) + "; ";
  }
};

}  // namespace

TEST_GROUP(WatchdogMonitor) {
  int64_t now_ms = 5'000'000;
  Arena arena{1 << 20};
  WatchdogMonitor monitor{arena, 4};
  Pulse reactor;
  Pulse storage;
  Reports reports;
  WatchdogMonitor::Verdict verdict;

  /// A watchdog of a second, looked at every 250 ms; the reactor is always expected, storage may take ten seconds.
  void setup() override {
    monitor.set_limit(1000);
    monitor.watch("reactor", reactor, 0);
    monitor.watch("storage", storage, 10'000);
    reactor.expect();
    check();
  }
  void check() { verdict = monitor.check(now_ms, reports); }
  /// Time goes on while the reactor turns, or does not.
  void pass(int64_t duration_ms, bool turning) {
    for (int64_t passed_ms = 0; passed_ms < duration_ms; passed_ms += 250) {
      now_ms += 250;
      if (turning) reactor.step();
      check();
    }
  }
};

TEST(WatchdogMonitor, looks_four_times_within_its_limit) {
  LONGS_EQUAL(250, monitor.period_ms());
  monitor.set_limit(1);
  LONGS_EQUAL(1, monitor.period_ms());
}

TEST(WatchdogMonitor, is_content_while_all_get_on) {
  pass(60'000, true);
  CHECK_TRUE(verdict.healthy);
  CHECK_FALSE(verdict.hopeless);
  STRCMP_EQUAL("", reports.text.c_str());
}

TEST(WatchdogMonitor, reports_a_part_at_half_its_time_and_once) {
  pass(250, false);
  CHECK_TRUE(verdict.healthy);
  pass(250, false);
  CHECK_FALSE(verdict.healthy);
  CHECK_FALSE(verdict.hopeless);
  pass(250, false);
  STRCMP_EQUAL("stuck reactor 500; ", reports.text.c_str());
}

TEST(WatchdogMonitor, calls_it_hopeless_at_the_limit_and_not_before) {
  pass(750, false);
  CHECK_FALSE(verdict.hopeless);
  pass(250, false);
  CHECK_TRUE(verdict.hopeless);
}

TEST(WatchdogMonitor, takes_a_part_back_that_goes_on) {
  pass(500, false);
  pass(250, true);
  CHECK_TRUE(verdict.healthy);
  STRCMP_EQUAL("stuck reactor 500; recovered reactor 750; ", reports.text.c_str());
  pass(500, false);
  STRCMP_EQUAL("stuck reactor 500; recovered reactor 750; stuck reactor 500; ", reports.text.c_str());
}

TEST(WatchdogMonitor, asks_nothing_of_a_part_that_has_nothing_to_do) {
  pass(60'000, true);
  storage.expect();
  pass(9'250, true);
  CHECK_TRUE(verdict.healthy);
  pass(250, true);
  CHECK_FALSE(verdict.healthy);
  STRCMP_EQUAL("stuck storage 9500; ", reports.text.c_str());
  storage.done();
  pass(250, true);
  CHECK_TRUE(verdict.healthy);
}

TEST(WatchdogMonitor, lets_a_queue_that_moves_take_as_long_as_it_likes) {
  for (int job = 0; job < 5; ++job) storage.expect();
  for (int job = 0; job < 4; ++job) {
    pass(9'000, true);
    storage.done();
  }
  pass(9'000, true);
  STRCMP_EQUAL("", reports.text.c_str());
  pass(1'000, true);
  STRCMP_EQUAL("stuck storage 9500; ", reports.text.c_str());
  CHECK_FALSE(verdict.hopeless);
  pass(250, true);  // counted from the check that saw the last step
  CHECK_TRUE(verdict.hopeless);
}

TEST(WatchdogMonitor, a_part_that_makes_steps_with_nothing_else_to_show_gets_on) {
  storage.expect();
  for (int second = 0; second < 60; ++second) {
    storage.step();
    pass(1'000, true);
  }
  CHECK_TRUE(verdict.healthy);
}

TEST(WatchdogMonitor, holds_a_delay_of_its_own_against_nobody) {
  now_ms += 3'600'000;  // the process was stopped, and so was the monitor
  check();
  CHECK_TRUE(verdict.healthy);
  pass(250, false);
  STRCMP_EQUAL("stuck reactor 500; ", reports.text.c_str());
}

TEST(WatchdogMonitor, a_short_delay_of_its_own_counts) {
  now_ms += 500;
  check();
  CHECK_FALSE(verdict.healthy);
}

TEST(WatchdogMonitor, bounds_below_the_limit_are_raised_to_it) {
  // The reactor's bound is 0.
  pass(250, false);
  CHECK_TRUE(verdict.healthy);
  pass(500, false);
  CHECK_FALSE(verdict.hopeless);
  pass(250, false);
  CHECK_TRUE(verdict.hopeless);
}
