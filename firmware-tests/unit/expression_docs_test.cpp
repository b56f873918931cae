// docs/expressions.md promises results and error messages: each of its examples is read from the page and run.
#include "agent/app/function_pages.h"
#include "agent/expression/expression.h"
#include "firmware-tests/support/markdown.h"
#include "firmware-tests/unit/expression_fixture.h"

#include <fstream>
#include <sstream>

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

/// The lines inside the page's fences that are marked with `language`.
std::vector<std::string> fenced_lines(const std::string& language) {
  std::vector<std::string> lines;
  for (const test::Fence& fence : test::markdown_fences("expressions.md")) {
    if (fence.info != language) continue;
    std::istringstream text(fence.text);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
  }
  return lines;
}

/// What stands between two lines that begin with these texts.
std::string page_between(const std::string& begin, const std::string& end) {
  std::ifstream page(WEIR_SOURCE_DIR "/docs/expressions.md");
  std::string part;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with(end)) inside = false;
    if (inside) part += line + "\n";
    if (line.starts_with(begin)) inside = true;
  }
  return part;
}

std::vector<const Function*> all_functions() {
  std::vector<const Function*> all;
  for (const Function& function : functions()) all.push_back(&function);
  return all;
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

TEST(ExpressionDocs, the_functions_are_those_of_the_table) {
  const std::string page = page_between("<!-- functions: begin", "<!-- functions: end");
  std::istringstream expected("\n" + functions_markdown(all_functions()) + "\n");
  std::istringstream shown(page);
  std::string expected_line;
  std::string line;
  while (std::getline(expected, expected_line)) {
    CHECK_TRUE_TEXT(static_cast<bool>(std::getline(shown, line)), expected_line.c_str());
    STRCMP_EQUAL(expected_line.c_str(), line.c_str());
  }
  CHECK_FALSE(std::getline(shown, line));
}

TEST(ExpressionDocs, the_list_for_the_terminal_has_every_function_with_its_example) {
  const std::string text = functions_text(all_functions());
  const std::string json = functions_json(all_functions());
  for (const Function& function : functions()) {
    STRCMP_CONTAINS(std::string(function.signature).c_str(), text.c_str());
    STRCMP_CONTAINS(std::string(function.example).c_str(), text.c_str());
    STRCMP_CONTAINS(("{\"name\": \"" + std::string(function.name) + "\", ").c_str(), json.c_str());
  }
  const Function* topic = &functions()[static_cast<size_t>(find_function("topic"))];
  STRCMP_EQUAL(
      "[\n  {\"name\": \"topic\", \"group\": \"Other\", \"signature\": \"topic(n)\",\n"
      "   \"summary\": \"segment n of the topic that the message came by, counted from 0; null if it has no "
      "such segment\",\n"
      "   \"example\": \"topic(1)\", \"result\": \"string hall-2\"}\n]\n",
      functions_json({topic}).c_str());
}
