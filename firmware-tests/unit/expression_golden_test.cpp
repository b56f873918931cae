// Results are equal on every architecture: what this build computes is what the golden file holds, to the last bit. That file
// is written by weir-golden; toolchains/on_arm.sh compares it with what arm64 and armhf compute.
#include "firmware-tests/support/expression_golden.h"

#include <fstream>
#include <sstream>

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(ExpressionGolden) { size_t lines = 0; };

TEST(ExpressionGolden, every_result_is_the_one_that_is_written_down) {
  std::ifstream file(WEIR_SOURCE_DIR "/firmware-tests/unit/expression_golden.txt");
  std::istringstream computed(test::expression_golden_text());
  std::string expected;
  for (std::string line; std::getline(computed, line); ++lines) {
    CHECK_TRUE_TEXT(static_cast<bool>(std::getline(file, expected)), line.c_str());
    STRCMP_EQUAL(expected.c_str(), line.c_str());
  }
  CHECK_FALSE(std::getline(file, expected));
  CHECK(lines > 5000);
}
