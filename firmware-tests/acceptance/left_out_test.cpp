// An agent that was built without some commands and steps (WEIR_WITHOUT_COMMANDS, WEIR_WITHOUT_STEPS) says so where they are
// asked for, is smaller by them, and takes what it has.
#include <filesystem>
#include <fstream>

#include "firmware-tests/support/agent_process.h"
#include "firmware-tests/support/process.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(LeftOut) {
  TemporaryDirectory directory;

  ProcessResult small(std::vector<std::string> words) {
    words.insert(words.begin(), WEIR_SMALL);
    return run_process(words);
  }
  std::string with_step(const std::string& step) {
    std::string path = directory.file("c.toml");
    std::ofstream(path)
        << "[mqtt.m]\nurl = \"mqtt://127.0.0.1:1\"\n[[pipeline]]\nname = \"p\"\n[pipeline.source]\nmqtt = \"m\"\n"
           "topics = [\"a\"]\nformat = \"json\"\nfields = { v = \"float\" }\n[[pipeline.step]]\n"
        << step << "\n[pipeline.sink]\nmqtt = \"m\"\ntopic = \"x\"\nformat = \"json\"\n";
    return path;
  }
};

TEST(LeftOut, a_command_is_refused_by_name) {
  const ProcessResult result = small({"doctor"});
  LONGS_EQUAL(64, result.end.exit_code);
  STRCMP_EQUAL(
      "weir: error: this build has no command \"doctor\": it was built with WEIR_WITHOUT_COMMANDS=\"doctor replay "
      "supervise\"\n",
      result.error.c_str());
}

TEST(LeftOut, help_lists_what_is_there) {
  const ProcessResult result = small({"--help"});
  LONGS_EQUAL(0, result.end.exit_code);
  STRCMP_CONTAINS("\n  run  ", result.output.c_str());
  STRCMP_CONTAINS("\n  savepoint  ", result.output.c_str());
  CHECK_TRUE(result.output.find("\n  doctor  ") == std::string::npos);
  CHECK_TRUE(run_process({agent_program(), "--help"}).output.find("\n  doctor  ") != std::string::npos);
}

TEST(LeftOut, a_step_is_refused_at_its_place) {
  const std::string config = with_step("id = \"j\"\nkey_by = [\"v\"]\njoin = { with = \"other\", within = \"1s\" }");
  const ProcessResult result = small({"check", config});
  LONGS_EQUAL(78, result.end.exit_code);
  STRCMP_CONTAINS((config + ":13:1: error: this build of weir has no step \"join\"").c_str(), result.error.c_str());
  STRCMP_CONTAINS("it was left out with WEIR_WITHOUT_STEPS", result.error.c_str());
}

TEST(LeftOut, its_schema_has_the_steps_that_are_there) {
  const std::string schema = small({"schema"}).output;
  CHECK_TRUE(schema.find("\"deadband\"") != std::string::npos);
  CHECK_TRUE(schema.find("\"join\"") == std::string::npos);
  CHECK_TRUE(run_process({agent_program(), "schema"}).output.find("\"join\"") != std::string::npos);
}

TEST(LeftOut, what_is_there_is_taken) {
  const std::string config = with_step("id = \"d\"\ndeadband = { field = \"v\", absolute = 2 }");
  const ProcessResult result = small({"check", config});
  LONGS_EQUAL_TEXT(0, result.end.exit_code, result.error.c_str());
}

TEST(LeftOut, the_program_is_smaller_by_them) {
  CHECK_TRUE(std::filesystem::file_size(WEIR_SMALL) + 50'000 < std::filesystem::file_size(WEIR_AGENT));
}
