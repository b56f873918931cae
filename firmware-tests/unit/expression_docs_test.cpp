// docs/expressions.md promises results and error messages: each of its examples is read from the page and run.
#include "agent/expression/expression.h"
#include "firmware-tests/unit/expression_fixture.h"

#include <fstream>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

/// The lines inside the page's fences that are marked with `language`.
std::vector<std::string> fenced_lines(const std::string& language) {
  std::ifstream page(WEIR_SOURCE_DIR "/docs/expressions.md");
  std::vector<std::string> lines;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    bool fence = line.starts_with("```");
    if (inside && !fence) lines.push_back(line);
    if (fence) inside = !inside && line == "```" + language;
  }
  return lines;
}

std::string without_trailing_spaces(std::string text) {
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

TEST_GROUP(ExpressionDocs) { ExpressionFixture fixture; };

TEST(ExpressionDocs, every_example_gives_the_result_that_the_page_states) {
  std::vector<std::string> lines = fenced_lines("weir");
  CHECK(lines.size() > 40);
  for (const std::string& line : lines) {
    size_t arrow = line.find(" => ");
    CHECK_TRUE_TEXT(arrow != std::string::npos, line.c_str());
    std::string text = without_trailing_spaces(line.substr(0, arrow));
    STRCMP_EQUAL_TEXT(line.substr(arrow + 4).c_str(), fixture.result(text).c_str(), text.c_str());
  }
}

TEST(ExpressionDocs, every_error_is_told_as_the_page_shows_it) {
  std::vector<std::string> lines = fenced_lines("error");
  CHECK(lines.size() > 10);
  std::string text;
  std::vector<ExpressionError> left;
  for (const std::string& line : lines) {
    size_t caret = line.find_first_not_of(' ');
    if (caret == std::string::npos) continue;
    if (line[caret] != '^') {
      CHECK_TRUE_TEXT(left.empty(), ("the page shows too few errors of " + text).c_str());
      text = line;
      CHECK_FALSE(fixture.compile(text));
      left = fixture.errors;
      continue;
    }
    CHECK_FALSE_TEXT(left.empty(), ("the page shows too many errors of " + text).c_str());
    size_t end = line.find(' ', caret);
    std::string shown = std::to_string(caret) + "+" + std::to_string(end - caret) + line.substr(end);
    STRCMP_EQUAL_TEXT(shown.c_str(), error_text(left.front()).c_str(), text.c_str());
    left.erase(left.begin());
  }
  CHECK_TRUE_TEXT(left.empty(), ("the page shows too few errors of " + text).c_str());
}
