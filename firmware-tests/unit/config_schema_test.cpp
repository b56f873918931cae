#include "agent/config/binder.h"
#include "agent/config/quantity.h"
#include "firmware-tests/support/json_values.h"
#include "firmware-tests/unit/config_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

namespace {

void is_up_to_date(const char* path, const std::string& generated, const char* how) {
  std::string committed = read_whole_file(std::string(WEIR_SOURCE_DIR "/") + path);
  CHECK_TRUE_TEXT(committed == generated, how);
}

/// Calls `visit` for every row of the table.
template <class Visit>
void each_option(const Section& section, Visit visit) {
  for (const Option& option : section.options) {
    visit(section, option);
    if (option.section) each_option(*option.section, visit);
  }
}

}  // namespace

TEST_GROUP(OptionTable){};

TEST(OptionTable, every_bound_and_default_is_a_value_of_its_row_s_type_and_in_range) {
  each_option(config_section(), [](const Section& section, const Option& option) {
    std::string name = std::string(section.header) + " " + option.key;
    bool is_quantity = option.type == OptionType::Duration || option.type == OptionType::Size;
    if (is_quantity) {
      for (const char* text : {option.standard, option.minimum, option.maximum}) {
        if (!text) continue;
        Quantity quantity = option.type == OptionType::Duration ? parse_duration(text) : parse_size(text);
        STRCMP_EQUAL_TEXT("", quantity.problem.c_str(), name.c_str());
      }
    }
    if ((is_quantity || option.type == OptionType::Integer) && option.standard) {
      int64_t value = bound_value(option.type, option.standard);
      if (option.minimum) CHECK_TRUE_TEXT(value >= bound_value(option.type, option.minimum), name.c_str());
      if (option.maximum) CHECK_TRUE_TEXT(value <= bound_value(option.type, option.maximum), name.c_str());
    }
    if (option.type == OptionType::Choice && option.standard) {
      bool listed = false;
      for (const char* choice : option.choices) listed = listed || std::string_view(choice) == option.standard;
      CHECK_TRUE_TEXT(listed, name.c_str());
    }
  });
}

TEST(OptionTable, every_option_is_documented_with_an_example) {
  each_option(config_section(), [](const Section& section, const Option& option) {
    std::string name = std::string(section.header) + " " + option.key;
    CHECK_TRUE_TEXT(std::string_view(option.documentation).size() > 10, name.c_str());
    CHECK_TRUE_TEXT(option.section || option.example, name.c_str());
    if (option.example) CHECK_TRUE_TEXT(std::string_view(option.example).starts_with(option.key), name.c_str());
    bool is_table =
        option.type == OptionType::Table || option.type == OptionType::TableArray || option.type == OptionType::NamedTables;
    // The options of an operator are described by the operator that is named.
    bool of_operator = std::string_view(option.key) == "options";
    CHECK_TRUE_TEXT(is_table == (option.section != nullptr || of_operator), name.c_str());
  });
}

TEST(OptionTable, every_example_is_toml_of_the_row_s_type) {
  each_option(config_section(), [](const Section& section, const Option& option) {
    if (!option.example) return;
    std::string name = std::string(section.header) + " " + option.key;
    ConfigFiles files = {{"example", option.example}};
    Diagnostics diagnostics;
    Node root;
    CHECK_TRUE_TEXT(parse_toml(files, 0, root, diagnostics), name.c_str());
    LONGS_EQUAL_TEXT(1, root.children.size(), name.c_str());
  });
}

TEST_GROUP(ConfigSchema){};

TEST(ConfigSchema, is_json) { CHECK(is_json(config_schema())); }

TEST(ConfigSchema, has_every_option_with_its_documentation) {
  std::string schema = config_schema();
  size_t at = 0;
  // The schema follows the table, so that each row is found behind its predecessor.
  each_option(config_section(), [&](const Section&, const Option& option) {
    size_t found = schema.find("\"" + std::string(option.key) + "\": {", at);
    CHECK_TRUE_TEXT(found != std::string::npos, option.key);
    at = found;
  });
  CHECK(schema.find("https://json-schema.org/draft/2020-12/schema") != std::string::npos);
}

TEST(ConfigSchema, the_reference_page_has_every_section_and_option) {
  std::string page = config_reference();
  each_option(config_section(), [&](const Section& section, const Option& option) {
    if (&section != &config_section())
      CHECK_TRUE_TEXT(page.find("| `" + std::string(option.key) + "` |") != std::string::npos, option.key);
    if (option.section)
      CHECK_TRUE_TEXT(page.find("\n## " + std::string(option.section->header) + "\n") != std::string::npos, option.key);
  });
}

TEST(ConfigSchema, the_man_page_has_every_section_and_option) {
  const std::string page = config_manual("0");
  each_option(config_section(), [&](const Section& section, const Option& option) {
    if (&section != &config_section())
      CHECK_TRUE_TEXT(page.find(".TP\n\\fB" + std::string(option.key) + "\\fR\n") != std::string::npos, option.key);
    if (option.section)
      CHECK_TRUE_TEXT(page.find(".SH \"" + std::string(option.section->header) + "\"\n") != std::string::npos, option.key);
  });
  CHECK_TRUE(page.find("](") == std::string::npos);
  CHECK_TRUE(page.find('`') == std::string::npos);
}

TEST(ConfigSchema, the_committed_schema_is_the_generated_one) {
  is_up_to_date("configs/weir.schema.json", config_schema(), "run: build/release/weir schema > configs/weir.schema.json");
}

TEST(ConfigSchema, the_committed_reference_page_is_the_generated_one) {
  is_up_to_date("docs/configuration.md", config_reference(),
                "run: build/release/weir schema --markdown > docs/configuration.md");
}
