// One mistake is one error: what only follows from it is not told.
#include <algorithm>

#include "firmware-tests/support/docs_examples.h"
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

/// Where the value of an assignment begins and ends.
struct Span {
  size_t begin = 0;
  size_t end = 0;
};

size_t end_of_string(const std::string& text, size_t at) {
  const char quote = text[at];
  for (++at; at < text.size() && text[at] != quote; ++at) at += text[at] == '\\' && quote == '"' ? 1u : 0u;
  return at + 1;
}

size_t end_of_value(const std::string& text, size_t at) {
  if (text[at] == '"' || text[at] == '\'') return end_of_string(text, at);
  if (text[at] != '[' && text[at] != '{') return text.find_first_of(" ,}\n", at);
  size_t depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '"' || text[at] == '\'') at = end_of_string(text, at) - 1;
    depth += text[at] == '[' || text[at] == '{' ? 1u : 0u;
    if ((text[at] == ']' || text[at] == '}') && --depth == 0) return at + 1;
  }
  return at;
}

/// Of every `key = value`, also inside inline tables.
std::vector<Span> values_of(const std::string& toml) {
  std::vector<Span> values;
  for (size_t at = 0; at < toml.size(); ++at) {
    if (toml[at] == '#') at = std::min(toml.find('\n', at), toml.size());
    if (at < toml.size() && (toml[at] == '"' || toml[at] == '\'')) at = end_of_string(toml, at) - 1;
    if (at >= toml.size() || toml[at] != '=') continue;
    const size_t begin = toml.find_first_not_of(' ', at + 1);
    values.push_back({begin, end_of_value(toml, begin)});
  }
  return values;
}

size_t count_of(const std::string& what, const std::string& text) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_GROUP(SingleError) {
  std::string told;

  void has_one_error(const std::string& toml, const std::string& csv = {}) {
    told = StepRig(toml, csv).problems();
    UNSIGNED_LONGS_EQUAL_TEXT(1, count_of(" error: ", told), (told + toml).c_str());
  }
  void says(const char* message, const char* help, const std::string& toml) {
    has_one_error(toml);
    STRCMP_CONTAINS(message, told.c_str());
    STRCMP_CONTAINS(help, told.c_str());
  }
  static std::string filter(const char* expression) {
    return std::string("[[pipeline.step]]\nfilter = \"") + expression + "\"\n";
  }
  static std::string aggregate(const char* call) {
    return std::string("[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"1min\" }\naggregate = { x = \"") + call +
           "\" }\n";
  }
  static std::string source(const char* fields) {
    return std::string("[pipeline.source]\nmqtt = \"local\"\ntopics = [\"a/+\"]\nformat = \"json\"\nfields = { ") + fields +
           " }\nevent_time = { field = \"ts\", max_delay = \"0s\" }\n";
  }
};

// Each value of each example of the documentation in turn becomes a date, which no option takes.
TEST(SingleError, a_value_of_a_wrong_type_is_all_that_is_told) {
  size_t tried = 0;
  std::string wrong;
  for (const char* page : example_pages) {
    for (const DocsExample& example : docs_examples(page)) {
      for (const Span& value : values_of(example.toml)) {
        std::string toml = example.toml;
        told = StepRig(toml.replace(value.begin, value.end - value.begin, "1979-05-27"), example.csv).problems();
        if (count_of(" error: ", told) != 1) wrong += example.name() + ":\n" + told;
        ++tried;
      }
    }
  }
  STRCMP_EQUAL("", wrong.c_str());
  CHECK(tried > 500);
}

TEST(SingleError, a_field_of_an_unknown_type_is_not_unknown_to_the_steps) {
  says("unknown field type \"flaot\"", "did you mean \"float\"?",
       source("device = \"string(8)\", value = \"flaot\", ts = \"time(ms)\"") + filter("value > 5 and device = 'a'"));
  has_one_error(source("device = \"topic[x]\", value = \"float\", ts = \"time(ms)\"") +
                "[[pipeline.step]]\nid = \"t\"\nkey_by = [\"device\"]\nthrottle = { interval = \"1s\" }\n");
}

TEST(SingleError, a_hop_without_its_step_is_told_once) {
  says("\"hopping\" needs \"every\"", "every = \"1min\"",
       "[[pipeline.step]]\nid = \"w\"\nwindow = { hopping = \"1h\" }\naggregate = { n = \"count()\" }\n");
}

TEST(SingleError, two_steps_of_one_id_are_told_once) {
  const std::string step = "[[pipeline.step]]\nid = \"w\"\nfilter = \"value > 5\"\n";
  says("two steps have the id \"w\"", "the first is at", step + step);
  // What no earlier check can see is still told.
  says("\"source\" names a source or another step", "choose another id",
       "[[pipeline.step]]\nid = \"source\"\nfilter = \"true\"\n");
}

TEST(SingleError, a_misspelt_key_is_not_missing_as_well) {
  says("unknown key \"filed\"", "did you mean \"field\"?",
       "[[pipeline.step]]\nid = \"d\"\nderive = { filed = \"value\", rate = \"r\" }\n");
}

TEST(SingleError, aggregates_by_the_names_that_others_give_them_are_recognised) {
  for (const auto& [theirs, ours] : {std::pair{"mean(value)", "avg"},
                                     {"average(value)", "avg"},
                                     {"AVG(value)", "avg"},
                                     {"stdev(value)", "stddev"},
                                     {"quantile(value, 90)", "percentile"},
                                     {"count_distinct(value)", "distinct"},
                                     {"medain(value)", "median"}})
    says("unknown aggregate", (std::string("did you mean \"") + ours + "\"?").c_str(), aggregate(theirs));
}

TEST(SingleError, functions_by_the_names_that_others_give_them_are_recognised) {
  for (const auto& [theirs, ours] : {std::pair{"substring(device, 0, 1) = 'a'", "substr"},
                                     {"LEN(device) > 3", "length"},
                                     {"ceiling(value) > 3", "ceil"},
                                     {"roud(value) > 3", "round"}})
    says("there is no function", (std::string("did you mean \"") + ours + "\"?").c_str(), filter(theirs));
}

TEST(SingleError, an_aggregate_in_an_expression_is_told_where_it_belongs) {
  constexpr const char* help = "is an aggregate: a step with window computes it";
  says("there is no function \"avg\"", help, filter("avg(value) > 5"));
  says("max takes 2 to 16 arguments, not 1", help, filter("max (value) > 5"));
  says("there is no function \"sum\"", help, "[[pipeline.step]]\nmap = { x = \"sum(value)\" }\n");
  // A field may be called like one.
  says("unknown field \"sum\"", "did you mean \"num\"?", source("num = \"int\", ts = \"time(ms)\"") + filter("sum > (5)"));
}
