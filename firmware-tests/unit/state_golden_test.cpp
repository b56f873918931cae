// The state that every released format has written opens, is shown and goes on, on every architecture.
#include "firmware-tests/support/state_golden.h"

#include <filesystem>
#include <vector>

#include "firmware-tests/support/files.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(StateGolden){static std::vector<std::string> formats(){std::vector<std::string> directories;
std::error_code error;
for (const auto& entry : std::filesystem::directory_iterator(WEIR_SOURCE_DIR "/firmware-tests/golden", error))
  if (entry.path().filename().string().starts_with("state-format-")) directories.push_back(entry.path().string());
return directories;
}
/// Without the sections that tell how it is stored.
static std::string results_in(const std::string& text) {
  std::string results;
  for (size_t at = text.find("== "); at != std::string::npos;) {
    const size_t next = text.find("\n== ", at);
    const std::string section = text.substr(at, next == std::string::npos ? next : next + 1 - at);
    if (section.substr(0, section.find('\n')).ends_with("results")) results += section;
    at = next == std::string::npos ? next : next + 1;
  }
  return results;
}
static std::string state_in(const TemporaryDirectory& directory, const std::string& database) {
  std::error_code error;
  std::filesystem::create_directory(directory.file("state"), error);
  CHECK(write_whole_file(directory.file("state") + "/weir.db", database).ok());
  return directory.file("state");
}
}
;

TEST(StateGolden, of_every_format_is_shown_and_goes_on_as_it_was_written) {
  CHECK(!formats().empty());
  for (const std::string& format : formats()) {
    const TemporaryDirectory directory;
    const std::string database = read_whole_file(format + "/weir.db");
    CHECK_FALSE_TEXT(database.empty(), format.c_str());
    const std::string expected = read_whole_file(format + "/expected.txt");
    CHECK(expected.size() > 10'000);
    STRCMP_EQUAL_TEXT(expected.c_str(), test::state_golden_text(format, state_in(directory, database)).c_str(), format.c_str());
  }
}

TEST(StateGolden, yields_the_same_results_as_state_that_this_version_writes) {
  const std::string newest = WEIR_SOURCE_DIR "/firmware-tests/golden/state-format-2";
  const TemporaryDirectory directory;
  CHECK(test::write_state_golden(newest, directory.file("state")).ok());
  STRCMP_EQUAL(results_in(read_whole_file(newest + "/expected.txt")).c_str(),
               results_in(test::state_golden_text(newest, directory.file("state"))).c_str());
}
