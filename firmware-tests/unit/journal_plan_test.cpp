#include "agent/app/journal_plan.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(JournalPlan) { JournalPlanInput input{.ring_bytes = 16.0 * 1024 * 1024}; };

TEST(JournalPlan, gathers_what_comes_within_the_linger_into_whole_blocks) {
  const JournalPlan plan = plan_journal(input);
  DOUBLES_EQUAL(10, plan.groups_per_s, 1e-9);  // 10 messages each: 64 + 10 x 168 bytes
  DOUBLES_EQUAL(409.6, plan.bytes_per_message, 1e-9);
  DOUBLES_EQUAL(10 * 4096.0 * 86'400, plan.bytes_per_day, 1);
  DOUBLES_EQUAL(409.6, plan.reach_s, 1e-6);
  DOUBLES_EQUAL(102.4, plan.interval_most_s, 1e-6);
  DOUBLES_EQUAL(10, plan.at_risk, 1e-9);
}

TEST(JournalPlan, a_slow_input_has_a_block_for_each_message) {
  input.messages_per_s = 0.5;
  const JournalPlan plan = plan_journal(input);
  DOUBLES_EQUAL(0.5, plan.groups_per_s, 1e-9);
  DOUBLES_EQUAL(4096, plan.bytes_per_message, 1e-9);
  DOUBLES_EQUAL(1, plan.at_risk, 1e-9);
}

TEST(JournalPlan, a_fast_input_is_limited_by_the_window_not_by_the_linger) {
  input.messages_per_s = 100'000;
  const JournalPlan plan = plan_journal(input);
  DOUBLES_EQUAL(200, plan.groups_per_s, 1e-9);
  DOUBLES_EQUAL(500, plan.at_risk, 1e-9);
  DOUBLES_EQUAL(21 * 4096.0 / 500, plan.bytes_per_message, 1e-9);
}

TEST(JournalPlan, no_linger_is_a_group_for_each_message) {
  input.linger_s = 0;
  DOUBLES_EQUAL(100, plan_journal(input).groups_per_s, 1e-9);
}
