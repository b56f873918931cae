// What surrounds the agent in its package agrees with the agent: the version, the completion, the man page, the changelog. The
// package itself is tried by ./dev package --test.
#include <cctype>
#include <set>
#include <sstream>

#include "firmware-tests/support/files.h"
#include "firmware-tests/support/process.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

namespace {

using namespace weir;

std::string output_of(const std::vector<std::string>& words) {
  const ProcessResult result = run_process(words, 20'000);
  CHECK_TRUE_TEXT(result.finished && result.end.exit_code == 0, (words[0] + ": " + result.output + result.error).c_str());
  return result.output;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// The first words of the indented lines of `weir --help`.
std::set<std::string> commands() {
  std::set<std::string> names;
  for (const std::string& line : lines_of(output_of({WEIR_AGENT, "--help"})))
    if (line.starts_with("  ") && line.size() > 2 && line[2] != ' ') names.insert(line.substr(2, line.find(' ', 2) - 2));
  return names;
}

/// "--word" wherever one begins in the text.
std::set<std::string> options_in(const std::string& text) {
  std::set<std::string> options;
  for (size_t at = text.find("--"); at != std::string::npos; at = text.find("--", at + 2)) {
    size_t end = at + 2;
    while (end < text.size() && (std::islower(static_cast<unsigned char>(text[end])) || text[end] == '-')) ++end;
    if (end > at + 2) options.insert(text.substr(at, end - at));
  }
  return options;
}

TEST_GROUP(Packaging) {
  TemporaryDirectory directory;

  /// What bash offers behind these words, the last of which is being typed.
  std::set<std::string> offered(const std::vector<std::string>& typed) {
    std::string words;
    for (const std::string& word : typed) words += " '" + word + "'";
    const std::string script = "PATH=\"$(dirname " WEIR_AGENT "):$PATH\"; cd " + directory.path() +
                               "; . " WEIR_SOURCE_DIR "/toolchains/packaging/weir.bash; COMP_WORDS=(" + words +
                               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _weir; printf '%s\\n' \"${COMPREPLY[@]}\"";
    std::set<std::string> result;
    for (const std::string& line : lines_of(output_of({"bash", "-c", script})))
      if (!line.empty()) result.insert(line);
    return result;
  }

  void expect_same(const std::set<std::string>& expected, const std::set<std::string>& actual) {
    std::string missing;
    std::string more;
    for (const std::string& word : expected)
      if (!actual.contains(word)) missing += word + " ";
    for (const std::string& word : actual)
      if (!expected.contains(word)) more += word + " ";
    STRCMP_EQUAL_TEXT("", missing.c_str(), "missing");
    STRCMP_EQUAL_TEXT("", more.c_str(), "too many");
  }
};

}  // namespace

TEST(Packaging, the_agent_the_build_and_the_changelog_name_one_version) {
  const std::string version = lines_of(output_of({WEIR_SOURCE_DIR "/toolchains/version.sh"})).at(0);
  STRCMP_EQUAL(("weir " + version + "\n").c_str(), output_of({WEIR_AGENT, "--version"}).c_str());
  const std::string changelog = read_whole_file(WEIR_SOURCE_DIR "/CHANGELOG.md");
  const size_t section = changelog.find("\n## ");
  CHECK_TRUE(section != std::string::npos);
  STRCMP_EQUAL(("## " + version + " (").c_str(), changelog.substr(section + 1, version.size() + 5).c_str());
}

TEST(Packaging, completion_offers_the_commands_of_the_help) {
  std::set<std::string> expected = commands();
  CHECK_TRUE(expected.size() > 10);
  expected.insert({"--help", "--version"});
  expect_same(expected, offered({"weir", ""}));
  expect_same({"savepoint"}, offered({"weir", "save"}));
  expect_same({}, offered({"weir", "nothing-like-it"}));
}

TEST(Packaging, completion_offers_every_option_of_a_usage_line_and_none_that_the_help_does_not_know) {
  for (const std::string& command : commands()) {
    const std::string help = output_of({WEIR_AGENT, command, "--help"});
    const std::set<std::string> known = options_in(help);
    const std::set<std::string> offer = offered({"weir", command, "--"});
    for (const std::string& option : options_in(help.substr(0, help.find("\n\n"))))
      CHECK_TRUE_TEXT(offer.contains(option), (command + " " + option).c_str());
    for (const std::string& option : offer)
      CHECK_TRUE_TEXT(option == "--help" || known.contains(option), (command + " " + option).c_str());
  }
  CHECK_TRUE(offered({"weir", "supervise", "--"}).contains("--attempts"));
  expect_same({"--savepoint"}, offered({"weir", "stop", "--sa"}));
}

TEST(Packaging, completion_offers_the_words_of_a_command_and_files) {
  CHECK_TRUE(write_whole_file(directory.file("list.toml"), "").ok());
  expect_same({"list", "list.toml"}, offered({"weir", "checkpoint", "l"}));
  expect_same({"list.toml"}, offered({"weir", "run", "l"}));
  expect_same({"list.toml"}, offered({"weir", "checkpoint", "list", "l"}));
  expect_same({"purge", "replay"}, [&] {
    std::set<std::string> words = offered({"weir", "dead-letters", "p"});
    words.merge(offered({"weir", "dead-letters", "r"}));
    return words;
  }());
}

TEST(Packaging, the_man_page_has_the_help_of_every_command) {
  const std::string page = output_of({WEIR_SOURCE_DIR "/toolchains/packaging/manual.sh", WEIR_AGENT});
  for (const std::string& command : commands()) {
    std::string title;
    for (char character : command) title += character == '-' ? "\\-" : std::string(1, character);
    CHECK_TRUE_TEXT(page.find(".SS " + title + "\n.nf\nusage: weir " + title) != std::string::npos, command.c_str());
  }
}

TEST(Packaging, every_configuration_that_ships_can_be_run) {
  size_t count = 0;
  for (const std::string& path : lines_of(output_of({"find", WEIR_SOURCE_DIR "/configs", "-name", "*.toml"}))) {
    output_of({WEIR_AGENT, "check", path});
    ++count;
  }
  CHECK_TRUE(count > 3);
}

/// The one of OpenRC is tried by ./dev package --test, on a system with OpenRC.
TEST(Packaging, the_service_script_for_procd_starts_and_reloads_an_agent) {
  STRCMP_CONTAINS("as it should be: procd", output_of({WEIR_SOURCE_DIR "/firmware-tests/packaging/procd", WEIR_AGENT}).c_str());
}

TEST(Packaging, a_changelog_becomes_debian_s) {
  CHECK_TRUE(write_whole_file(directory.file("in"),
                              "# Changelog\n\nHow to read it.\n\n## 0.2.0 (not released yet)\n\n- **New**: see [the\n"
                              "  page](docs/page.md), or `weir x`.\n- Second.\n\n## 0.1.0 (2026-10-01)\n\nThe first.\n")
                 .ok());
  STRCMP_EQUAL(
      "weir (0.2.0) bookworm; urgency=medium\n\n  * New: see the page, or weir x.\n  * Second.\n\n"
      " -- a <b@c>  Tue, 14 Nov 2023 22:13:20 +0000\n\n"
      "weir (0.1.0) bookworm; urgency=medium\n\n  * The first.\n\n"
      " -- a <b@c>  Thu, 01 Oct 2026 00:00:00 +0000\n",
      output_of(
          {"bash", "-c", WEIR_SOURCE_DIR "/toolchains/packaging/changelog.sh 'a <b@c>' 1700000000 <" + directory.file("in")})
          .c_str());
}
