// Every example of the documentation is run: its configuration, what goes in, what comes out.
#include "firmware-tests/support/docs_examples.h"

#include <algorithm>
#include <cctype>

#include "agent/model/step_kind.h"
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(DocsExamples) {
  size_t count = 0;

  void run(const DocsExample& example) {
    ++count;
    StepRig rig(example.toml, example.csv);
    STRCMP_EQUAL_TEXT("", rig.problems().c_str(), example.name().c_str());
    rig.feed_lines(example.input);
    rig.finish();
    STRCMP_EQUAL_TEXT(example.output.c_str(), rig.take_output().c_str(), example.name().c_str());
  }
};

TEST(DocsExamples, give_what_the_page_says) {
  for (const char* page : example_pages)
    for (const DocsExample& example : docs_examples(page)) run(example);
  CHECK(count > 1);
}

TEST(DocsExamples, every_verb_has_a_minimal_and_a_full_one) {
  const std::vector<DocsExample> examples = docs_examples("steps.md");
  std::vector<std::string> verbs = {"filter", "map", "select", "drop", "rename", "route", "union"};
  for (const StepKind* kind : step_kinds())
    if (!kind->custom) verbs.emplace_back(kind->verb);
  for (const std::string& verb : verbs) {
    auto of_verb = [&](const DocsExample& example) { return example.section == verb; };
    CHECK_TRUE_TEXT(std::ranges::count_if(examples, of_verb) >= 2, verb.c_str());
  }
}
