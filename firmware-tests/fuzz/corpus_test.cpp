// Every input in the corpora of the fuzzers, through the functions that are fuzzed: those that were found to break something
// stay among them.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "firmware-tests/fuzz/targets.h"
#include "firmware-tests/support/files.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(FuzzCorpus) {
  size_t inputs = 0;

  void replay(const fuzz::Target& target) {
    const std::filesystem::path folder = std::filesystem::path(WEIR_SOURCE_DIR "/firmware-tests/fuzz/corpus") / target.name;
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path().string());
    std::ranges::sort(paths);
    for (const std::string& path : paths) {
      const std::string input = read_whole_file(path);
      // A copy of exactly this size, so that a sanitizer sees what is read behind it.
      const std::vector<uint8_t> exact(input.begin(), input.end());
      target.run(exact);
    }
    inputs = paths.size();
  }
  void teardown() override { fuzz::stop_control(); }
};

TEST(FuzzCorpus, every_target_comes_back_from_every_input) {
  for (const fuzz::Target& target : fuzz::targets()) {
    replay(target);
    CHECK_TRUE_TEXT(inputs >= 5, target.name);
  }
}

TEST(FuzzCorpus, every_target_comes_back_from_nothing) {
  for (const fuzz::Target& target : fuzz::targets()) target.run({});
}

TEST(FuzzCorpus, every_folder_belongs_to_a_target) {
  for (const auto& entry : std::filesystem::directory_iterator(WEIR_SOURCE_DIR "/firmware-tests/fuzz/corpus")) {
    const std::string name = entry.path().filename().string();
    CHECK_TRUE_TEXT(fuzz::find_target(name) != nullptr, name.c_str());
  }
}
