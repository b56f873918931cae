// Power cuts below the checkpoint store: what comes back must be what the newest checkpoint held that was announced, or the one
// that was on its way. ./dev test makes at least 500 recoveries; WEIR_LONG=1 in the environment, or ./dev test --long, 5,000.
// WEIR_SEED=N runs the history with that seed alone.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "firmware-tests/support/store_history.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

constexpr uint64_t recoveries_wanted = 500;
constexpr uint64_t recoveries_wanted_long = 5000;

}  // namespace

TEST_GROUP(PowerCut) {
  uint64_t seed =
      environment_number("WEIR_SEED", static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()));

  /// How many histories of a broken world pass before one is caught; 0: none of `most` was.
  uint64_t caught_after(const HistorySettings& settings, uint64_t most) {
    for (uint64_t count = 1; count <= most; ++count) {
      HistoryResult result = run_history(seed + count, settings);
      if (result.problem.empty()) continue;
      printf(" [%llu histories: %s]", static_cast<unsigned long long>(count), result.problem.c_str());
      return count;
    }
    return 0;
  }
};

TEST(PowerCut, loses_no_checkpoint_that_was_announced_and_brings_back_one_state) {
  const bool one = getenv("WEIR_SEED") != nullptr;
  const uint64_t wanted = one ? 1 : environment_number("WEIR_LONG", 0) != 0 ? recoveries_wanted_long : recoveries_wanted;
  uint64_t recoveries = 0;
  uint64_t checkpoints = 0;
  while (recoveries < wanted) {
    const HistoryResult result = run_history(seed, disk_of_a_gateway(seed));
    const std::string text = "seed " + std::to_string(seed) + ": " + result.problem;
    CHECK_TRUE_TEXT(result.problem.empty(), text.c_str());
    recoveries += result.recoveries;
    checkpoints += result.checkpoints;
    ++seed;
    if (one) break;
  }
  printf(" [%llu recoveries, %llu checkpoints, last seed %llu]", static_cast<unsigned long long>(recoveries),
         static_cast<unsigned long long>(checkpoints), static_cast<unsigned long long>(seed - 1));
  CHECK(one || checkpoints > recoveries);
}

TEST(PowerCut, is_noticed_where_the_log_is_not_synced) {
  HistorySettings settings;
  settings.honest_syncs = HonestSyncs::NotOfLogs;
  CHECK(caught_after(settings, 50) > 0);
}

TEST(PowerCut, is_noticed_where_the_names_of_files_are_not_synced) {
  HistorySettings settings;
  settings.honest_syncs = HonestSyncs::NotOfNames;
  CHECK(caught_after(settings, 50) > 0);
}

TEST(PowerCut, is_noticed_where_commits_are_synced_later) {
  HistorySettings settings;
  settings.durability = CommitDurability::ProcessCrash;
  CHECK(caught_after(settings, 50) > 0);
}

TEST(PowerCut, is_noticed_on_a_disk_that_lies_about_syncs) {
  HistorySettings settings;
  settings.honest_syncs = HonestSyncs::None;
  CHECK(caught_after(settings, 50) > 0);
}

TEST(PowerCut, is_noticed_where_sqlite_trusts_a_disk_that_damages_whole_sectors) {
  HistorySettings settings;
  settings.claims_powersafe_overwrite = true;
  settings.sectors.bytes = 4096;
  CHECK(caught_after(settings, 200) > 0);
}

TEST(PowerCut, is_noticed_where_sqlite_trusts_a_disk_of_small_sectors) {
  HistorySettings settings;
  settings.claims_powersafe_overwrite = true;
  settings.sectors.bytes = 512;
  CHECK(caught_after(settings, 1000) > 0);
}
