// A short torture of the agent itself, and the proof that torture sees what it is meant to see.
#include "firmware-tests/crash/torture_process.h"

#include <CppUTest/TestHarness.h>

namespace {

using namespace weir;

TEST_GROUP(Torture){};

TEST(Torture, loses_and_doubles_nothing_over_thirty_kills) {
  const TortureResult result = run_torture({"--kills", "30", "--seed", "1"});
  CHECK_TRUE_TEXT(result.told, said(result));
  LONGS_EQUAL_TEXT(0, result.process.end.exit_code, said(result));
  UNSIGNED_LONGS_EQUAL(0, result.lost);
  UNSIGNED_LONGS_EQUAL(0, result.duplicated);
  UNSIGNED_LONGS_EQUAL(30, result.kills);
  UNSIGNED_LONGS_EQUAL(1, result.seed);
  UNSIGNED_LONGS_EQUAL(result.sent, result.applied);
  CHECK_TRUE(result.sent > 1000);
}

TEST(Torture, loses_and_doubles_nothing_with_mqtt_3_1_1) {
  const TortureResult result = run_torture({"--kills", "12", "--seed", "2", "--mqtt", "3.1.1"});
  CHECK_TRUE_TEXT(result.told, said(result));
  LONGS_EQUAL_TEXT(0, result.process.end.exit_code, said(result));
  UNSIGNED_LONGS_EQUAL(result.sent, result.applied);
}

TEST(Torture, loses_and_doubles_nothing_with_a_journal) {
  const TortureResult result = run_torture({"--kills", "30", "--seed", "4", "--ack", "journal"});
  CHECK_TRUE_TEXT(result.told, said(result));
  LONGS_EQUAL_TEXT(0, result.process.end.exit_code, said(result));
  UNSIGNED_LONGS_EQUAL(0, result.lost);
  UNSIGNED_LONGS_EQUAL(0, result.duplicated);
  UNSIGNED_LONGS_EQUAL(result.sent, result.applied);
}

TEST(Torture, catches_an_agent_that_acknowledges_before_the_journal_is_durable) {
  const TortureResult result = run_torture({"--kills", "15", "--seed", "3", "--ack", "journal", "--agent",
                                            WEIR_BINARY_DIR "/firmware-tests/weir_mutant_ack_before_commit"});
  CHECK_TRUE_TEXT(result.told, said(result));
  LONGS_EQUAL_TEXT(1, result.process.end.exit_code, said(result));
  CHECK_TRUE_TEXT(result.lost > 0, said(result));
}

TEST(Torture, catches_an_agent_that_acknowledges_before_the_commit) {
  const TortureResult result =
      run_torture({"--kills", "10", "--seed", "3", "--agent", WEIR_BINARY_DIR "/firmware-tests/weir_mutant_ack_before_commit"});
  CHECK_TRUE_TEXT(result.told, said(result));
  LONGS_EQUAL_TEXT(1, result.process.end.exit_code, said(result));
  CHECK_TRUE_TEXT(result.lost > 0, said(result));
}

TEST(Torture, catches_an_agent_without_the_redelivery_rule) {
  const TortureResult result = run_torture(
      {"--kills", "25", "--seed", "1", "--agent", WEIR_BINARY_DIR "/firmware-tests/weir_mutant_no_redelivery_rule"});
  CHECK_TRUE_TEXT(result.told, said(result));
  LONGS_EQUAL_TEXT(1, result.process.end.exit_code, said(result));
  CHECK_TRUE_TEXT(result.duplicated > 0, said(result));
}

TEST(Torture, refuses_options_that_it_does_not_know) {
  LONGS_EQUAL(64, run_torture({"--kill", "3"}).process.end.exit_code);
  LONGS_EQUAL(64, run_torture({"--kills", "many"}).process.end.exit_code);
  LONGS_EQUAL(64, run_torture({"--kills"}).process.end.exit_code);
  LONGS_EQUAL(64, run_torture({"--mqtt", "4"}).process.end.exit_code);
}

}  // namespace
