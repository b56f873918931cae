#include <cstdlib>
#include <random>

#include "agent/config/binder.h"
#include "firmware-tests/unit/config_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

// Whatever the file holds, the loader ends with diagnostics whose places are within the file.
TEST_GROUP(HostileConfig) {
  ConfigFixture config;

  void loads_or_complains(const std::string& text) {
    config.write(text);
    LoadedConfig loaded = config.load();
    CHECK(loaded.unusable ? loaded.diagnostics.errors() > 0 : true);
    for (const Diagnostic& each : loaded.diagnostics.all()) {
      std::string_view line = loaded.files[each.at.file].line(each.at.line);
      CHECK(each.at.line == 0 || each.at.column <= character_count(line) + 1);
    }
    (void)loaded.diagnostics.format(loaded.files, true, true);
  }
};

TEST(HostileConfig, toml_that_trips_the_library_s_assertions_is_an_error) {
  for (const char* text : {"[", "[.]", "[..]", "[!", "\x01", "\xC3\x98=1", "[[", "[a.!]", "a.=1", "="}) {
    config.write(text);
    LoadedConfig loaded = config.load();
    CHECK_TRUE_TEXT(loaded.unusable, text);
    LONGS_EQUAL_TEXT(1, loaded.diagnostics.errors(), text);
  }
}

TEST(HostileConfig, every_prefix_of_the_example_ends_with_diagnostics_or_none) {
  std::string example = example_configuration();
  for (size_t length = 0; length <= example.size(); ++length) loads_or_complains(example.substr(0, length));
}

TEST(HostileConfig, random_changes_of_the_example_end_with_diagnostics_or_none) {
  const char* given = getenv("WEIR_SEED");
  uint32_t seed = given ? static_cast<uint32_t>(strtoul(given, nullptr, 10)) : std::random_device()();
  UT_PRINT((std::string("seed ") + std::to_string(seed)).c_str());
  std::mt19937 random(seed);
  std::string example = example_configuration();
  constexpr std::string_view interesting = "[]{}\"'=.,#\n\\ \t\r$+0-\xC3\xFF\x01";
  for (int round = 0; round < 3000; ++round) {
    std::string text = example;
    for (auto change = random() % 8 + 1; change > 0; --change) {
      size_t at = random() % text.size();
      char character = random() % 2 ? interesting[random() % interesting.size()] : static_cast<char>(random() % 256);
      switch (random() % 3) {
        case 0:
          text[at] = character;
          break;
        case 1:
          text.insert(at, 1, character);
          break;
        default:
          text.erase(at, random() % 20 + 1);
      }
    }
    loads_or_complains(text);
  }
}

TEST(HostileConfig, random_overrides_end_with_diagnostics_or_none) {
  std::mt19937 random(1);
  constexpr std::string_view alphabet = "agent.name=\"'[]{}#\\ 0pipeline.overheat\n\xC3";
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto length = random() % 24; length > 0; --length) text += alphabet[random() % alphabet.size()];
    LoadedConfig loaded = config.load({text});
    (void)loaded.diagnostics.format(loaded.files, false);
  }
}

TEST(HostileConfig, depth_is_bounded) {
  auto repeat = [](const char* what, int times) {
    std::string text;
    for (int index = 0; index < times; ++index) text += what;
    return text;
  };
  for (const std::string& text : {"[" + repeat("a.", 500000) + "a]", repeat("a.", 500000) + "a=1", "a=" + repeat("[", 500000),
                                  "a=" + repeat("{a=", 300000), "\"#\"." + repeat("a.", 500000) + "a=1",
                                  "x='" + repeat(".", 50000) + "'\n" + repeat("a .", 300000) + "a=1"}) {
    config.write(text);
    LoadedConfig loaded = config.load();
    CHECK(loaded.unusable);
    LONGS_EQUAL(1, loaded.diagnostics.errors());
  }
}

TEST(HostileConfig, thirty_two_parts_of_a_key_are_allowed_and_one_more_is_refused) {
  std::string key = "a";
  for (int index = 1; index < 32; ++index) key += ".a";
  config.write(key + "=1\n");
  CHECK_FALSE(config.load().unusable);
  config.write("# a comment\n" + key + ".a=1\n");
  STRCMP_CONTAINS("c.toml:2:64: error: a dotted key has at most 32 parts\n", config.report().c_str());
}

TEST(HostileConfig, letters_beyond_ascii_stand_in_quotes_and_comments_only) {
  CHECK(config.edit("name = \"gw-17\"", "log_level = \"é\""));
  STRCMP_CONTAINS("c.toml:2:13: error: unknown value \"é\"", config.report().c_str());
  config.write("# é\nx = \"\"\"é\"\"\"\"\" # é\né = 1\n");
  STRCMP_EQUAL(
      "c.toml:3:1: error: unexpected character outside quotes; a key without quotes is made of A-Z a-z 0-9 _ -\né = 1\n^\n",
      config.report().c_str());
}

TEST(HostileConfig, a_quote_behind_a_number_begins_no_string) {
  config.write("a = 12'\xCE\x9D'\n");
  STRCMP_EQUAL(
      "c.toml:1:8: error: unexpected character outside quotes; a key without quotes is made of A-Z a-z 0-9 _ -\n"
      "a = 12'\xCE\x9D'\n       ^\n",
      config.report().c_str());
}

TEST(HostileConfig, dots_in_strings_and_comments_are_no_keys) {
  std::string dots(200, '.');
  CHECK(config.edit("state_dir = \"/var/lib/weir\"", "state_dir = \"" + dots + "\" # " + dots));
  CHECK(config.edit("\"max_t > 80\"", "'''\n" + dots + "\n'''"));
  STRCMP_EQUAL("", config.report().c_str());
}
