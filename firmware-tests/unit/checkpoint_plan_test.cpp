// The numbers of facts/flink.md 5.4, computed there by hand.
#include "agent/app/checkpoint_plan.h"

#include <cmath>

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(CheckpointPlan) {
  CheckpointPlanInput input;

  double bound(const std::string& why) const {
    for (const CheckpointBound& each : plan_checkpoints(input).bounds)
      if (each.why == why) return each.seconds;
    return -1;
  }
};

TEST(CheckpointPlan, a_target_of_recovery_bounds_the_interval_from_above) {
  input.messages_per_s = 500;
  input.replayed_per_s = 5000;
  input.fixed_recovery_s = 3.3;
  input.target_recovery_s = 30;
  DOUBLES_EQUAL(237, bound("the target of recovery"), 0.01);
  input.window = 1e9;
  DOUBLES_EQUAL(30, forecast(input, 237).recovery_s, 0.01);
}

TEST(CheckpointPlan, young_s_interval_is_minutes_on_a_gateway) {
  DOUBLES_EQUAL(190.49, plan_checkpoints(input).young_s, 0.01);
  input.commit_s = 30;
  input.time_between_failures_s = 3600;
  DOUBLES_EQUAL(464.8, plan_checkpoints(input).young_s, 0.1);
}

TEST(CheckpointPlan, the_life_of_the_flash_bounds_it_from_below) {
  // 400 kB a checkpoint, whatever the interval: 24 TB over ten years with an amplification of 4.
  input.flash_bytes = 8e9;
  input.state_bytes = (400'000 - 32 * 1024) / 2.1;
  input.entry_bytes = 1;
  input.messages_per_s = 1e9;
  input.window = 1e18;
  DOUBLES_EQUAL(21, bound("the life of the flash"), 0.1);
  DOUBLES_EQUAL(10, forecast(input, bound("the life of the flash")).flash_years, 0.01);
  // A checkpoint a second lasts half a year.
  DOUBLES_EQUAL(0.475, forecast(input, 1).flash_years, 0.01);
}

TEST(CheckpointPlan, the_window_cuts_the_interval_short_and_names_itself) {
  input.messages_per_s = 1000;
  input.window = 500;
  input.commit_s = 0.005;
  const CheckpointPlan plan = plan_checkpoints(input);
  DOUBLES_EQUAL(0.5, plan.recommended_s, 1e-9);
  STRCMP_CONTAINS("the source's window", plan.binding.c_str());
  DOUBLES_EQUAL(0.5, plan.configured.interval_s, 1e-9);
}

TEST(CheckpointPlan, names_the_two_bounds_that_exclude_each_other) {
  input.flash_bytes = 1e6;
  input.window = 10;
  const CheckpointPlan plan = plan_checkpoints(input);
  DOUBLES_EQUAL(0, plan.recommended_s, 0);
  STRCMP_EQUAL("the life of the flash asks for more than the source's window (unacked) allows", plan.binding.c_str());
}

TEST(CheckpointPlan, takes_young_s_interval_between_the_bounds) {
  input.messages_per_s = 1;
  input.window = 1000;
  const CheckpointPlan plan = plan_checkpoints(input);
  DOUBLES_EQUAL(plan.young_s, plan.recommended_s, 0);
  DOUBLES_EQUAL(plan.recommended.interval_s + plan.recommended.recovery_s, plan.recommended.fault_tolerance_s, 1e-9);
}

TEST(CheckpointPlan, a_stream_that_is_faster_than_its_replay_is_never_caught_up_with) {
  input.messages_per_s = input.replayed_per_s;
  CHECK_TRUE(std::isinf(forecast(input, 1).recovery_s));
}

TEST(CheckpointPlan, writes_no_more_than_all_of_the_state) {
  input.state_bytes = 64'000;
  input.entry_bytes = 64;
  input.messages_per_s = 10;
  DOUBLES_EQUAL(32 * 1024 + 4 * 64'000 * -std::expm1(-0.01), bytes_written(input, 1), 1);
  DOUBLES_EQUAL(32 * 1024 + 2.1 * 64'000, bytes_written(input, 1e6), 1);
}
