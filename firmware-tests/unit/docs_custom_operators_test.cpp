// docs/custom-operators.md quotes its example: what stands in a fence that names a file stands in that file.
#include <string>

#include "firmware-tests/support/files.h"
#include "firmware-tests/support/markdown.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(DocsCustomOperators) {
  size_t quotes = 0;

  /// `opening` is what stands behind the three ticks: a language, and the file's name if it is a quotation.
  void check(const std::string& opening, const std::string& quoted) {
    const size_t space = opening.find(' ');
    if (space == std::string::npos) return;
    ++quotes;
    const std::string name = opening.substr(space + 1);
    const std::string file = read_whole_file(WEIR_SOURCE_DIR "/examples/keyed_average/" + name);
    CHECK_TRUE_TEXT(file.find(quoted) != std::string::npos, (name + " has no such text:\n" + quoted).c_str());
  }
};

TEST(DocsCustomOperators, quotes_the_example_as_it_is) {
  for (const test::Fence& fence : test::markdown_fences("custom-operators.md")) {
    CHECK(fence.closed);
    check(fence.info, fence.text);
  }
  CHECK(quotes >= 8);
}
