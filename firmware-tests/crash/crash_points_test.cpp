// The agent dies at each of its crash points, under load, and the account is drawn up; and the points are where they belong.
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "firmware-tests/crash/torture_process.h"
#include "firmware-tests/faults/crash_points.h"
#include "firmware-tests/support/files.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(CrashPoints) {
  const bool long_run = getenv("WEIR_LONG") != nullptr;

  void accounts_for_everything(std::vector<std::string> options, uint64_t deaths) {
    options.insert(options.end(), {"--kills", std::to_string(long_run ? 10 * deaths : deaths)});
    const TortureResult result = run_torture(options);
    CHECK_TRUE_TEXT(result.told, said(result));
    LONGS_EQUAL_TEXT(0, result.process.end.exit_code, said(result));
    UNSIGNED_LONGS_EQUAL(0, result.lost);
    UNSIGNED_LONGS_EQUAL(0, result.duplicated);
    UNSIGNED_LONGS_EQUAL(result.sent, result.applied);
    CHECK_TRUE_TEXT(result.kills >= deaths, said(result));
  }
  static uint64_t count_points(test::CrashPointNeeds needs) {
    uint64_t count = 0;
    for (const test::CrashPoint& point : test::crash_points) count += point.needs == needs ? 1 : 0;
    return count;
  }
  /// What stands between quotes behind "crash_point(" in the agent's sources.
  static std::multiset<std::string> named_in_sources() {
    std::multiset<std::string> names;
    for (const char* folder : {"agent", "storage", "connectors"}) {
      for (const auto& entry : std::filesystem::recursive_directory_iterator(std::string(WEIR_SOURCE_DIR "/") + folder)) {
        if (entry.path().extension() != ".cpp") continue;
        const std::string text = read_whole_file(entry.path().string());
        constexpr std::string_view call = "crash_point(\"";
        for (size_t at = text.find(call); at != std::string::npos; at = text.find(call, at + 1))
          names.insert(text.substr(at + call.size(), text.find('"', at + call.size()) - at - call.size()));
      }
    }
    return names;
  }
};

TEST(CrashPoints, lose_and_double_nothing) {
  accounts_for_everything({"--at", "all", "--seed", "5"}, count_points(test::CrashPointNeeds::Nothing));
}

TEST(CrashPoints, lose_and_double_nothing_with_a_journal) {
  const uint64_t points = count_points(test::CrashPointNeeds::Journal);
  accounts_for_everything({"--at", "journal", "--ack", "journal", "--seed", "6"}, points);
  if (long_run) accounts_for_everything({"--at", "all", "--ack", "journal", "--seed", "7"}, points);
}

TEST(CrashPoints, are_each_named_once_in_the_sources_and_no_others) {
  std::multiset<std::string> listed;
  for (const test::CrashPoint& point : test::crash_points) listed.insert(std::string(point.name));
  const std::multiset<std::string> named = named_in_sources();
  for (const std::string& name : listed) LONGS_EQUAL_TEXT(1, named.count(name), name.c_str());
  for (const std::string& name : named) LONGS_EQUAL_TEXT(1, listed.count(name), name.c_str());
}

TEST(CrashPoints, are_not_in_the_product) {
  const auto has = [](const char* program, const char* text) {
    return read_whole_file(program).find(text) != std::string::npos;
  };
  CHECK_TRUE(has(WEIR_BINARY_DIR "/firmware-tests/weir_crashing", "WEIR_CRASH_AT"));
  CHECK_FALSE(has(WEIR_AGENT, "WEIR_CRASH_AT"));
}

TEST(CrashPoints, of_which_there_are_none_are_refused) {
  LONGS_EQUAL(64, run_torture({"--at", "checkpoint.nowhere"}).process.end.exit_code);
}
