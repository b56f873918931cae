// An installed weir is enough to build an agent with operators of one's own: headers, library, CMake package.
#include <filesystem>

#include "firmware-tests/support/process.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(Install) {
  TemporaryDirectory directory;

  static std::string run(const std::vector<std::string>& words) {
    const ProcessResult result = run_process(words, 150'000);
    CHECK_TRUE_TEXT(result.finished && result.end.exit_code == 0, (words[1] + ": " + result.output + result.error).c_str());
    return result.output;
  }
};

TEST(Install, an_example_builds_out_of_the_tree_and_runs) {
  const std::string prefix = directory.file("prefix");
  const std::string source = directory.file("keyed_average");
  const std::string build = directory.file("build");
  std::error_code error;
  std::filesystem::copy(WEIR_SOURCE_DIR "/examples/keyed_average", source, error);
  CHECK_FALSE(static_cast<bool>(error));
  run({"cmake", "--install", WEIR_BINARY_DIR, "--prefix", prefix});
  run({"cmake", "-G", "Ninja", "-S", source, "-B", build, "-DCMAKE_PREFIX_PATH=" + prefix, "-DCMAKE_BUILD_TYPE=Debug",
       "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Werror"});
  run({"cmake", "--build", build, "--target", "keyed_average"});
  STRCMP_EQUAL("{\"key\":1,\"average\":4}\n{\"key\":1,\"average\":5}\n",
               run({build + "/keyed_average", "replay", "--config", source + "/keyed_average.toml", "--input",
                    source + "/numbers.jsonl"})
                   .c_str());
}
