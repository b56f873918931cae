#include "agent/runtime/restart_strategy.h"

#include <array>
#include <vector>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr int64_t minute_ms = 60'000;
constexpr int64_t start_ms = 1'000'000;

RestartRule rule_of(RestartKind kind) {
  RestartRule rule;
  rule.kind = kind;
  rule.jitter = 0;
  return rule;
}

/// Without the ceiling, which would end most sequences first.
RestartRule flink_exponential() {
  RestartRule rule = rule_of(RestartKind::ExponentialDelay);
  rule.failures = 0;
  return rule;
}

RestartRule failure_rate(uint32_t failures, int64_t interval_ms) {
  RestartRule rule = rule_of(RestartKind::FailureRate);
  rule.failures = failures;
  rule.interval_ms = interval_ms;
  return rule;
}

/// The number of the failure that is the last if one follows the other after `period_ms`; 0: none of the first 10,000.
int final_failure(const RestartRule& rule, int64_t period_ms) {
  RestartStrategy strategy(rule, 0);
  for (int failure = 1; failure <= 10'000; ++failure)
    if (strategy.on_failure(start_ms + failure * period_ms).verdict == RestartVerdict::Final) return failure;
  return 0;
}

/// The delays that are decided on when each restart fails after `run_ms`.
std::vector<int64_t> delays(RestartStrategy& strategy, size_t count, int64_t run_ms = 1) {
  std::vector<int64_t> result;
  int64_t now_ms = start_ms;
  while (result.size() < count) {
    const RestartDecision decision = strategy.on_failure(now_ms);
    if (decision.verdict != RestartVerdict::Restart) break;
    result.push_back(decision.at_ms - now_ms);
    now_ms = decision.at_ms + run_ms;
  }
  return result;
}

void decides(RestartStrategy& strategy, int64_t now_ms, RestartVerdict verdict, int64_t delay_ms) {
  const RestartDecision decision = strategy.on_failure(now_ms);
  CHECK(decision.verdict == verdict);
  LONGS_EQUAL(delay_ms, decision.at_ms - now_ms);
}

void ends(RestartStrategy& strategy, int64_t now_ms) {
  CHECK(strategy.on_failure(now_ms).verdict == RestartVerdict::Final);
  CHECK_TRUE(strategy.terminal());
}

}  // namespace

TEST_GROUP(RestartStrategy){};

TEST(RestartStrategy, none_never_restarts) {
  RestartStrategy strategy(rule_of(RestartKind::None), 0);
  CHECK_FALSE(strategy.terminal());
  ends(strategy, start_ms);
  ends(strategy, start_ms + 24 * 60 * minute_ms);
}

TEST(RestartStrategy, a_fixed_delay_restarts_as_often_as_it_says) {
  RestartRule rule = rule_of(RestartKind::FixedDelay);
  rule.attempts = 3;
  rule.delay_ms = 2500;
  RestartStrategy strategy(rule, 0);
  for (int64_t failure = 1; failure <= 3; ++failure) decides(strategy, start_ms + failure, RestartVerdict::Restart, 2500);
  ends(strategy, start_ms + 4);
}

TEST(RestartStrategy, a_fixed_delay_s_attempts_do_not_come_back_with_time) {
  RestartRule rule = rule_of(RestartKind::FixedDelay);
  rule.attempts = 1;
  RestartStrategy strategy(rule, 0);
  decides(strategy, start_ms, RestartVerdict::Restart, 1000);
  ends(strategy, start_ms + 365 * 24 * 60 * minute_ms);
}

TEST(RestartStrategy, a_failure_rate_is_a_sliding_window_over_the_failures) {
  const RestartRule rule = failure_rate(5, 5 * minute_ms);
  LONGS_EQUAL(6, final_failure(rule, 1000));
  LONGS_EQUAL(6, final_failure(rule, 30'000));
  LONGS_EQUAL(6, final_failure(rule, 59'900));
  LONGS_EQUAL(6, final_failure(rule, 60'000));
  LONGS_EQUAL(0, final_failure(rule, 60'001));
}

TEST(RestartStrategy, a_failure_rate_s_interval_is_closed) {
  for (const int64_t beyond_ms : {0, 1}) {
    RestartStrategy strategy(failure_rate(2, 1000), 0);
    decides(strategy, start_ms, RestartVerdict::Restart, 1000);
    decides(strategy, start_ms + 999, RestartVerdict::Restart, 1000);
    CHECK_EQUAL(beyond_ms == 0, strategy.on_failure(start_ms + 1000 + beyond_ms).verdict == RestartVerdict::Final);
  }
}

TEST(RestartStrategy, a_failure_rate_looks_at_the_last_failures_only) {
  RestartStrategy strategy(failure_rate(2, 1000), 0);
  int64_t now_ms = start_ms;
  // Pairs with a pause between them: never three in a second.
  for (int pair = 0; pair < 200; ++pair) {
    decides(strategy, now_ms, RestartVerdict::Restart, 1000);
    decides(strategy, now_ms + 10, RestartVerdict::Restart, 1000);
    now_ms += 1011;
  }
  decides(strategy, now_ms, RestartVerdict::Restart, 1000);
  decides(strategy, now_ms + 1, RestartVerdict::Restart, 1000);
  ends(strategy, now_ms + 2);
  LONGS_EQUAL(403, strategy.state().failures);
}

TEST(RestartStrategy, a_failure_rate_counts_as_many_as_can_be_kept) {
  LONGS_EQUAL(restart_failures_max + 1, final_failure(failure_rate(restart_failures_max, 1000), 10));
  LONGS_EQUAL(0, final_failure(failure_rate(restart_failures_max, 1000), 11));
  LONGS_EQUAL(2, final_failure(failure_rate(1, 60'000), 60'000));
}

TEST(RestartStrategy, an_exponential_delay_grows_by_half_up_to_a_minute) {
  RestartStrategy strategy(flink_exponential(), 0);
  const std::vector<int64_t> expected = {1000,  1500,  2250,  3375,  5062,  7593,  11390,
                                         17085, 25628, 38443, 57665, 60000, 60000, 60000};
  CHECK(expected == delays(strategy, expected.size()));
}

TEST(RestartStrategy, an_exponential_delay_begins_anew_after_a_quiet_time_that_counts_from_the_restart) {
  RestartRule rule = flink_exponential();
  for (const int64_t run_ms : {rule.reset_threshold_ms - 1, rule.reset_threshold_ms}) {
    RestartStrategy strategy(rule, 0);
    int64_t now_ms = start_ms + delays(strategy, 3)[2];
    now_ms = strategy.state().next_restart_ms + run_ms;
    decides(strategy, now_ms, RestartVerdict::Restart, run_ms == rule.reset_threshold_ms ? 1000 : 3375);
  }
}

TEST(RestartStrategy, a_failure_before_the_restart_is_part_of_the_one_that_led_to_it) {
  RestartStrategy strategy(flink_exponential(), 0);
  decides(strategy, start_ms, RestartVerdict::Restart, 1000);
  decides(strategy, start_ms + 400, RestartVerdict::Merged, 600);
  decides(strategy, start_ms + 1000, RestartVerdict::Merged, 0);
  LONGS_EQUAL(1, strategy.state().failures);
  decides(strategy, start_ms + 1001, RestartVerdict::Restart, 1500);
}

TEST(RestartStrategy, an_exponential_delay_can_be_limited_in_attempts) {
  RestartRule rule = flink_exponential();
  rule.attempts = 4;
  RestartStrategy strategy(rule, 0);
  LONGS_EQUAL(4, delays(strategy, 100).size());
  CHECK_TRUE(strategy.terminal());
}

TEST(RestartStrategy, a_quiet_time_gives_the_attempts_of_an_exponential_delay_back) {
  RestartRule rule = flink_exponential();
  rule.attempts = 1;
  RestartStrategy strategy(rule, 0);
  LONGS_EQUAL(50, delays(strategy, 50, rule.reset_threshold_ms).size());
}

TEST(RestartStrategy, the_standard_gives_up_at_the_eleventh_failure_in_ten_minutes) {
  RestartStrategy strategy(rule_of(RestartKind::ExponentialDelay), 0);
  LONGS_EQUAL(10, delays(strategy, 100).size());
  CHECK_TRUE(strategy.terminal());
}

TEST(RestartStrategy, the_ceiling_s_interval_is_closed) {
  RestartRule rule = rule_of(RestartKind::ExponentialDelay);
  rule.max_delay_ms = rule.initial_delay_ms;
  LONGS_EQUAL(11, final_failure(rule, minute_ms));
  LONGS_EQUAL(0, final_failure(rule, minute_ms + 1));
}

TEST(RestartStrategy, jitter_stays_within_its_share_and_the_limits) {
  RestartRule rule = flink_exponential();
  rule.jitter = 0.1;
  bool less = false;
  bool more = false;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    RestartStrategy strategy(rule, seed);
    const std::vector<int64_t> drawn = delays(strategy, 14);
    CHECK(drawn[0] >= 1000 && drawn[0] <= 1100);  // not below the initial delay
    CHECK(drawn[1] >= 1350 && drawn[1] <= 1650);
    CHECK(drawn[9] >= 38443 - 3844 && drawn[9] <= 38443 + 3844);
    CHECK(drawn[10] >= 57665 - 5766 && drawn[10] <= 60000);
    LONGS_EQUAL(60000, drawn[13]);
    less = less || drawn[1] < 1360;
    more = more || drawn[1] > 1640;
  }
  CHECK_TRUE(less && more);
}

TEST(RestartStrategy, many_failures_in_a_row_do_not_overflow_the_delay) {
  RestartRule rule = flink_exponential();
  rule.jitter = 1;
  rule.multiplier = 1000;
  RestartStrategy strategy(rule, 3);
  for (const int64_t delay_ms : delays(strategy, 5000)) CHECK(delay_ms >= 1000 && delay_ms <= 60'000);
}

TEST(RestartStrategy, waits_for_the_rest_of_the_delay) {
  RestartStrategy strategy(flink_exponential(), 0);
  LONGS_EQUAL(0, strategy.wait_ms(start_ms));
  strategy.on_failure(start_ms);
  LONGS_EQUAL(1000, strategy.wait_ms(start_ms));
  LONGS_EQUAL(1, strategy.wait_ms(start_ms + 999));
  LONGS_EQUAL(0, strategy.wait_ms(start_ms + 1000));
  LONGS_EQUAL(0, strategy.wait_ms(start_ms + 5000));
}

TEST(RestartStrategy, resume_begins_as_new_and_keeps_the_count) {
  RestartStrategy strategy(rule_of(RestartKind::ExponentialDelay), 0);
  delays(strategy, 100);
  CHECK_TRUE(strategy.terminal());
  strategy.resume();
  CHECK_FALSE(strategy.terminal());
  LONGS_EQUAL(11, strategy.state().failures);
  LONGS_EQUAL(0, strategy.wait_ms(start_ms));
  LONGS_EQUAL(10, delays(strategy, 100).size());
}

TEST(RestartStrategy, a_state_that_was_saved_decides_as_if_nothing_had_happened) {
  RestartRule rule = failure_rate(3, 1000);
  RestartStrategy before(rule, 5);
  for (int64_t failure = 0; failure < 3; ++failure) before.on_failure(start_ms + failure);
  std::array<uint8_t, restart_state_bytes> memory;
  ByteWriter out(memory);
  save_restart_state(before.state(), out);
  CHECK_FALSE(out.overflowed());
  LONGS_EQUAL(restart_state_bytes, out.size());

  RestartState state;
  ByteReader in(out.bytes());
  CHECK_TRUE(load_restart_state(in, state));
  CHECK_TRUE(in.at_end());
  RestartStrategy after(rule, 5);
  after.set_state(state);
  LONGS_EQUAL(1000, after.wait_ms(start_ms + 2));
  ends(after, start_ms + 1000);
}

TEST(RestartStrategy, bytes_that_are_no_state_are_refused) {
  RestartStrategy strategy(rule_of(RestartKind::None), 0);
  strategy.on_failure(start_ms);
  std::array<uint8_t, restart_state_bytes> memory;
  ByteWriter out(memory);
  save_restart_state(strategy.state(), out);
  RestartState state;
  ByteReader cut(Bytes(memory).first(restart_state_bytes - 1));
  CHECK_FALSE(load_restart_state(cut, state));
  for (const size_t place : {size_t{24}, size_t{32}, size_t{36}}) {  // terminal, how many recent, which is the newest
    std::array<uint8_t, restart_state_bytes> wrong = memory;
    wrong[place] = 102;
    ByteReader in(wrong);
    CHECK_FALSE(load_restart_state(in, state));
    CHECK_FALSE(state.terminal);
    LONGS_EQUAL(0, state.failures);
  }
}

TEST(RestartStrategy, times_move_with_the_clock_that_began_anew) {
  RestartStrategy strategy(failure_rate(1, 1000), 0);
  strategy.on_failure(start_ms);
  RestartState state = strategy.state();
  shift_restart_state(state, -start_ms - 400);
  strategy.set_state(state);
  LONGS_EQUAL(600, strategy.wait_ms(0));
  ends(strategy, 600);
}

TEST(RestartStrategy, strategies_have_the_names_of_the_configuration) {
  for (const RestartKind kind :
       {RestartKind::None, RestartKind::FixedDelay, RestartKind::ExponentialDelay, RestartKind::FailureRate}) {
    RestartKind found{};
    CHECK_TRUE(restart_kind_named(restart_kind_name(kind), found));
    CHECK(kind == found);
  }
  RestartKind found = RestartKind::FailureRate;
  CHECK_FALSE(restart_kind_named("exponential", found));
  STRCMP_EQUAL("fixed-delay", restart_kind_name(RestartKind::FixedDelay));
}
