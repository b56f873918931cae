// A short torture of the agent itself, and the proof that torture sees what it is meant to see.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "firmware-tests/support/process.h"

#include <CppUTest/TestHarness.h>

namespace {

using namespace weir;

constexpr const char* torture = WEIR_BINARY_DIR "/weir-torture";
constexpr int64_t torture_deadline_ms = 150'000;

struct TortureResult {
  ProcessResult process;
  uint64_t sent = 0;
  uint64_t applied = 0;
  uint64_t lost = 0;
  uint64_t duplicated = 0;
  uint64_t kills = 0;
  uint64_t seed = 0;
  bool told = false;  // the last line has the promised form
};

TortureResult run_torture(const std::vector<std::string>& options) {
  std::vector<std::string> arguments{torture};
  arguments.insert(arguments.end(), options.begin(), options.end());
  TortureResult result;
  result.process = run_process(arguments, torture_deadline_ms);
  const size_t last_line = result.process.output.rfind("sent=");
  if (last_line == std::string::npos) return result;
  char end = 0;
  result.told =
      sscanf(result.process.output.c_str() + last_line,
             "sent=%" SCNu64 " applied=%" SCNu64 " lost=%" SCNu64 " duplicated=%" SCNu64 " kills=%" SCNu64 " seed=%" SCNu64
             "%c",
             &result.sent, &result.applied, &result.lost, &result.duplicated, &result.kills, &result.seed, &end) == 7 &&
      end == '\n' && result.process.output.ends_with("\n");
  return result;
}

/// What torture said, for a failure's message.
const char* said(const TortureResult& result) { return result.process.output.c_str(); }

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
