// The rules of `weir supervise` on a clock of the test's own.
#include "agent/runtime/supervisor_rules.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using Action = SupervisorRules::Action;

TEST_GROUP(SupervisorRules) {
  int64_t now_ms = 1'000'000;
  RestartStrategy restarts{{.kind = RestartKind::FixedDelay, .attempts = 3, .delay_ms = 100}, 1};
  SupervisorRules rules{{.watchdog_ms = 1'000, .start_ms = 5'000, .stop_ms = 4'000, .abort_ms = 2'000}, restarts};

  void expect(Action action) { LONGS_EQUAL(static_cast<int>(action), static_cast<int>(rules.next(now_ms))); }
  /// Nothing happens until `duration_ms` have passed, and then this.
  void expect_after(int64_t duration_ms, Action action) {
    expect(Action::Wait);
    LONGS_EQUAL(now_ms + duration_ms, rules.next_deadline_ms());
    now_ms += duration_ms - 1;
    expect(Action::Wait);
    ++now_ms;
    expect(action);
  }
  void tell(const char* text) { rules.on_message(parse_notify_message(text), now_ms); }
  void begin() {
    expect(Action::Start);
    rules.on_started(now_ms);
  }
  void become_ready() {
    begin();
    tell("READY=1");
    CHECK_TRUE(rules.running());
  }
  void end_with(int code, int signal = 0) { rules.on_exit({.code = code, .signal = signal}, now_ms); }
};

TEST(SupervisorRules, starts_at_once) {
  expect(Action::Start);
  expect(Action::Wait);
}

TEST(SupervisorRules, aborts_a_child_that_is_not_ready_in_time_and_kills_one_that_does_not_even_abort) {
  begin();
  expect_after(5'000, Action::Abort);
  CHECK_FALSE(rules.healthy());
  expect_after(2'000, Action::Kill);
  expect(Action::Wait);
  end_with(0, 9);
  CHECK_TRUE(rules.healthy());
  expect_after(100, Action::Start);
}

TEST(SupervisorRules, gives_a_start_the_time_that_it_asks_for) {
  begin();
  now_ms += 4'000;
  tell("EXTEND_TIMEOUT_USEC=9000000");
  expect_after(9'000, Action::Abort);
}

TEST(SupervisorRules, time_that_is_asked_for_shortens_nothing) {
  begin();
  tell("EXTEND_TIMEOUT_USEC=1000000");
  expect_after(5'000, Action::Abort);
}

TEST(SupervisorRules, does_not_wait_for_beats_before_the_child_is_ready) {
  begin();
  now_ms += 4'999;
  expect(Action::Wait);
  tell("READY=1");
  expect_after(1'000, Action::Abort);
}

TEST(SupervisorRules, lets_a_child_live_that_beats) {
  become_ready();
  for (int beat = 0; beat < 100; ++beat) {
    now_ms += 999;
    expect(Action::Wait);
    tell("WATCHDOG=1");
  }
  CHECK_TRUE(rules.healthy());
  now_ms += 400;
  tell("STATUS=is no beat");
  expect_after(600, Action::Abort);
}

TEST(SupervisorRules, aborts_a_child_that_gives_itself_up) {
  become_ready();
  tell("WATCHDOG=trigger");
  expect(Action::Abort);
}

TEST(SupervisorRules, without_a_watchdog_a_silent_child_is_left_alone) {
  SupervisorRules patient({.watchdog_ms = 0}, restarts);
  CHECK_TRUE(patient.next(now_ms) == Action::Start);
  patient.on_started(now_ms);
  patient.on_message(parse_notify_message("READY=1"), now_ms);
  CHECK_TRUE(patient.next(now_ms + 1'000'000'000) == Action::Wait);
}

TEST(SupervisorRules, an_end_in_order_is_the_end) {
  become_ready();
  end_with(0);
  expect(Action::End);
  LONGS_EQUAL(0, rules.exit_code());
  CHECK_TRUE(rules.orderly());
  LONGS_EQUAL(0, restarts.state().failures);
}

TEST(SupervisorRules, an_exit_that_would_come_again_is_passed_on) {
  for (const int code : {64, 65, 78, 126, 127}) {
    SupervisorRules each({}, restarts);
    CHECK_TRUE(each.next(now_ms) == Action::Start);
    each.on_started(now_ms);
    each.on_exit({.code = code}, now_ms);
    CHECK_TRUE(each.next(now_ms) == Action::End);
    LONGS_EQUAL(code, each.exit_code());
    CHECK_TRUE(each.orderly());
  }
  LONGS_EQUAL(0, restarts.state().failures);
}

TEST(SupervisorRules, a_failure_is_followed_by_a_start_after_the_delay) {
  become_ready();
  end_with(1);
  LONGS_EQUAL(100, rules.delay_ms());
  CHECK_TRUE(rules.healthy());
  expect_after(100, Action::Start);
  rules.on_started(now_ms);
  end_with(75);
  LONGS_EQUAL(2, restarts.state().failures);
}

TEST(SupervisorRules, ends_when_the_strategy_allows_no_more_and_passes_on_how_it_ended) {
  for (int failure = 0; failure < 3; ++failure) {
    become_ready();
    end_with(1);
    now_ms += 100;
  }
  become_ready();
  end_with(0, 11);
  expect(Action::End);
  LONGS_EQUAL(139, rules.exit_code());
  CHECK_TRUE(rules.given_up());
  CHECK_FALSE(rules.orderly());
  CHECK_FALSE(rules.healthy());
}

TEST(SupervisorRules, stops_in_order) {
  become_ready();
  rules.on_stop(now_ms);
  expect(Action::Terminate);
  rules.on_stop(now_ms);
  expect(Action::Wait);
  end_with(3);
  expect(Action::End);
  LONGS_EQUAL(3, rules.exit_code());
  CHECK_TRUE(rules.orderly());
  LONGS_EQUAL(0, restarts.state().failures);
}

TEST(SupervisorRules, kills_a_child_that_does_not_stop_which_is_no_order) {
  become_ready();
  rules.on_stop(now_ms);
  expect(Action::Terminate);
  expect_after(4'000, Action::Kill);
  end_with(0, 9);
  expect(Action::End);
  CHECK_FALSE(rules.orderly());
}

TEST(SupervisorRules, gives_a_stop_the_time_that_it_asks_for) {
  become_ready();
  rules.on_stop(now_ms);
  expect(Action::Terminate);
  now_ms += 3'000;
  tell("EXTEND_TIMEOUT_USEC=5000000");
  expect_after(5'000, Action::Kill);
}

TEST(SupervisorRules, a_stop_while_it_waits_for_the_next_start_ends_at_once) {
  become_ready();
  end_with(1);
  rules.on_stop(now_ms);
  expect(Action::End);
  LONGS_EQUAL(1, rules.exit_code());
}

TEST(SupervisorRules, a_stop_of_a_child_that_is_being_aborted_waits_for_its_end) {
  become_ready();
  now_ms += 1'000;
  expect(Action::Abort);
  rules.on_stop(now_ms);
  expect_after(2'000, Action::Kill);
  end_with(0, 9);
  expect(Action::End);
  CHECK_FALSE(rules.orderly());
}
