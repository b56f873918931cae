// A sync that fails: what the kernel could not write it may have dropped, so a second sync that succeeds would say nothing. The
// agent acknowledges nothing more, ends, and the next start recovers from what is on the disk.
#include "firmware-tests/acceptance/gateway_fixture.h"

namespace {

using namespace weir;

TEST_GROUP_BASE(FailingSync, GatewayTest) {
  std::string trigger;
  void start_failing_agent() {
    gateway = std::make_unique<TestGateway>(per_second_config, WEIR_FAILING_SYNC);
    trigger = gateway->directory().file("fail-sync");
    gateway->agent().options().environment.push_back("WEIR_FAIL_SYNC=" + trigger);
    CHECK_TRUE(gateway->start());
  }
};

TEST(FailingSync, ends_the_agent_without_a_second_try_and_the_next_start_loses_nothing) {
  start_failing_agent();
  for (int number = 0; number < 50; ++number) measure("d1", number, number * 10);
  CHECK_TRUE(gateway->wait_received(50));
  CHECK_TRUE(write_whole_file(trigger, "").ok());
  for (int number = 0; number < 30; ++number) measure("d2", number, 500 + number * 10);
  const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
  CHECK_TRUE_TEXT(end.has_value(), "the agent runs on");
  LONGS_EQUAL(1, end->exit_code);
  STRCMP_EQUAL("x", read_whole_file(trigger).c_str());
  STRCMP_CONTAINS("nothing more is acknowledged", gateway->agent().log().c_str());

  CHECK_TRUE(remove(trigger.c_str()) == 0);
  CHECK_TRUE(gateway->start_agent());
  CHECK_TRUE(gateway->wait_received(80));
  UNSIGNED_LONGS_EQUAL(80, gateway->pipeline().ledger.applied);
  LONGS_EQUAL(0, gateway->pipeline().ledger.imbalance());
  UNSIGNED_LONGS_EQUAL(0, gateway->pipeline().recovery.lost_newest_id);
}

TEST(FailingSync, at_the_start_is_told_and_ends_it) {
  start_failing_agent();
  gateway->crash();
  CHECK_TRUE(write_whole_file(trigger, "").ok());
  const std::string before = gateway->agent().log();
  CHECK_TRUE(gateway->agent().start().ok());
  const std::optional<ProcessEnd> end = gateway->agent().process().wait(10'000);
  CHECK_TRUE(end.has_value() && end->exit_code == 1);
  STRCMP_EQUAL("x", read_whole_file(trigger).c_str());
}

}  // namespace
