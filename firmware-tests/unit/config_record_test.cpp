#include "agent/app/config_record.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(ConfigRecord){
    static void check(const char* expected, const char* toml){STRCMP_EQUAL(expected, without_passwords(toml).c_str());
}
}
;

TEST(ConfigRecord, leaves_passwords_out_however_they_are_written) {
  check("password = \"(left out)\"\nurl = \"x\"\n", "password = \"s\\\"ecret\"\nurl = \"x\"\n");
  check("a = { password=\"(left out)\", b = 1 }", "a = { password='secret', b = 1 }");
  check("\"password\" = \"(left out)\" # why", "\"password\" = \"secret\" # why");
  check("password = \"(left out)\"\nb = 1", "password = \"\"\"se\ncret\"\"\"\nb = 1");
  check("mqtt.local.password = \"(left out)\"", "mqtt.local.password = \"secret\"");
  check("--set mqtt.x.password=\"(left out)\"", "--set mqtt.x.password=\"secret\"");
}

TEST(ConfigRecord, leaves_everything_else_as_it_is) {
  for (const char* text : {"password_file = \"/etc/secret\"", "no_password = \"x\"", "a = \"password\"", "", "password"})
    check(text, text);
}

TEST(ConfigRecord, an_override_without_quotes_is_left_out_as_well) {
  check("--set mqtt.x.password=\"(left out)\"", "--set mqtt.x.password=secret");
}

TEST(ConfigRecord, names_every_file) {
  LoadedConfig config;
  config.files.push_back({"a.toml", "x = 1", false, false});
  config.files.push_back({"--set y=2", "y=2", true, false});
  config.files.push_back({"b.toml", "z = 3\n", false, false});
  STRCMP_EQUAL("# ---- a.toml\nx = 1\n# --set y=2\n# ---- b.toml\nz = 3\n", config_record(config).c_str());
}
