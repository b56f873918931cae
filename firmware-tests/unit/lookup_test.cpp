#include <fstream>

#include "agent/app/lookup_files.h"
#include "connectors/file/csv_lookup.h"
#include "firmware-tests/support/step_rig.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(LookupStep) {
  TemporaryDirectory directory;
  std::string path = directory.file("devices.csv");

  void write(const std::string& text) const { std::ofstream(path, std::ios::binary) << text; }
  std::string toml(const std::string& options) const {
    return "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"t\"]\nformat = \"json\"\n"
           "fields = { device = \"string(16)\", n = \"int\", ts = \"time(ms)\" }\n"
           "event_time = { field = \"ts\", max_delay = \"0s\" }\n[[pipeline.step]]\nid = \"l\"\n"
           "lookup = { file = \"" +
           path + "\", " + options + " }\n[[pipeline.step]]\ndrop = [\"ts\"]\n";
  }
  static std::string record(const char* device, int64_t ts) {
    return std::string("{\"device\":") + device + ",\"n\":1,\"ts\":" + std::to_string(ts) + "}";
  }
  std::string looked_up(const char* device, const std::string& options) const {
    StepRig rig(toml(options));
    STRCMP_EQUAL("", rig.problems().c_str());
    rig.feed(record(device, 0));
    return rig.take_output();
  }
  void refuses(const char* why, const std::string& options) const {
    STRCMP_CONTAINS(why, StepRig(toml(options)).problems().c_str());
  }
  void refuses_file(const std::string& why, const std::string& text, const std::string& more = "") const {
    write(text);
    STRCMP_CONTAINS(
        (path + why).c_str(),
        StepRig(toml("on = \"device\", add = { site = \"string(8)\", limit = \"float\" }" + more)).problems().c_str());
  }
};

TEST(LookupStep, adds_the_columns_of_the_row_with_the_record_s_key) {
  write("limit,device,unused,site\n20.5,a,x,\"north, \"\"A\"\"\"\r\n\n,b,y,south");
  const std::string options = "on = \"device\", add = { site = \"string(16)\", limit = \"float\" }";
  STRCMP_EQUAL("{\"device\":\"a\",\"n\":1,\"site\":\"north, \\\"A\\\"\",\"limit\":20.5}\n",
               looked_up("\"a\"", options).c_str());
  STRCMP_EQUAL("{\"device\":\"b\",\"n\":1,\"site\":\"south\",\"limit\":null}\n", looked_up("\"b\"", options).c_str());
}

TEST(LookupStep, a_key_that_is_missing_or_null_does_what_it_is_told) {
  write("device,site\na,north\n");
  const std::string options = "on = \"device\", add = { site = \"string\" }";
  for (const char* device : {"\"z\"", "null"}) {
    const std::string beginning = std::string("{\"device\":") + device + ",\"n\":1,\"site\":null}\n";
    STRCMP_EQUAL(beginning.c_str(), looked_up(device, options).c_str());
    STRCMP_EQUAL("", looked_up(device, options + ", missing = \"drop\"").c_str());
    STRCMP_EQUAL("refused l lookup\n", looked_up(device, options + ", missing = \"dead-letter\"").c_str());
  }
}

TEST(LookupStep, a_key_may_have_several_columns_and_expressions) {
  write("device,channel,ok\na,2,true\na,3,false\n");
  STRCMP_EQUAL(
      "{\"device\":\"A\",\"n\":1,\"ok\":false}\n",
      looked_up("\"A\"", "key = { device = \"lower(device)\", channel = \"n + 2\" }, add = { ok = \"bool\" }").c_str());
}

TEST(LookupStep, finds_each_of_many_rows_and_no_other) {
  std::string text = "device,place\n";
  for (int row = 0; row < 1000; ++row) text += "d" + std::to_string(row) + "," + std::to_string(row * 7) + "\n";
  write(text);
  StepRig rig(toml("on = \"device\", add = { place = \"int\" }"));
  for (int row = 0; row <= 1000; ++row) {
    rig.feed(record(("\"d" + std::to_string(row) + "\"").c_str(), 0));
    const std::string place = row < 1000 ? std::to_string(row * 7) : "null";
    STRCMP_EQUAL(("{\"device\":\"d" + std::to_string(row) + "\",\"n\":1,\"place\":" + place + "}\n").c_str(),
                 rig.take_output().c_str());
  }
}

TEST(LookupStep, reads_a_file_anew_when_it_has_changed_and_keeps_the_table_when_the_new_one_is_bad) {
  write("device,site\na,north\n");
  StepRig rig(toml("on = \"device\", add = { site = \"string\" }, reload = \"5s\""));
  auto site = [&](int64_t ts) {
    rig.feed(record("\"a\"", ts));
    const std::string output = rig.take_output();
    return output.substr(output.find("site"));
  };
  STRCMP_EQUAL("site\":\"north\"}\n", site(0).c_str());
  write("device,site\na,southern\n");
  STRCMP_EQUAL("site\":\"north\"}\n", site(4999).c_str());
  STRCMP_EQUAL("site\":\"southern\"}\n", site(5000).c_str());
  write("device,site\na,east\na,west\n");
  STRCMP_EQUAL("site\":\"southern\"}\n", site(10'000).c_str());
  CHECK(remove(path.c_str()) == 0);
  STRCMP_EQUAL("site\":\"southern\"}\n", site(15'000).c_str());
  write("device,site\na,up\nb,down\n");
  STRCMP_EQUAL("site\":\"up\"}\n", site(20'000).c_str());
}

TEST(LookupStep, says_where_a_file_is_wrong) {
  STRCMP_CONTAINS("it cannot be opened", StepRig(toml("on = \"device\", add = { site = \"string\" }")).problems().c_str());
  refuses_file(":1:1: its first line does not name all columns", "device,site\n");
  refuses_file(":1:1: its first line does not name all columns", "");
  refuses_file(":3:5: expected a number", "device,limit,site\na,1,x\nbcd,warm,y\n");
  refuses_file(":2:5: the text is longer than its field", "device,site,limit\nabc,123456789,1\n");
  refuses_file(":2:4: the line has fewer cells than the first one", "device,site,limit\na,b\n");
  refuses_file(":2:7: the line has more cells than the first one", "device,site,limit\na,b,1,c\n");
  refuses_file(":3:1: an earlier line has the same key", "device,site,limit\na,x,1\na,y,2\n");
  refuses_file(":2:1: the key is empty", "device,site,limit\n,x,1\n");
  refuses_file(":2:3: a quote is not closed", "device,site,limit\na,\"x,1\n");
  refuses_file(":2:6: unexpected text behind a quote", "device,site,limit\na,\"x\"y,1\n");
  refuses_file(":3:1: there are more than max_rows rows", "device,site,limit\na,x,1\nb,y,2\n", ", max_rows = 1");
}

TEST(LookupStep, takes_a_file_up_to_its_bound_and_not_a_byte_more) {
  const std::string text = "device,site,limit\na,x,1\n";
  write(text);
  const std::string options = "on = \"device\", add = { site = \"string(8)\" }, max_bytes = \"";
  STRCMP_EQUAL("", StepRig(toml(options + std::to_string(text.size()) + "B\"")).problems().c_str());
  refuses("it is larger than max_bytes", options + std::to_string(text.size() - 1) + "B\"");
}

TEST(LookupStep, refuses_what_cannot_be) {
  write("device,site\n");
  refuses("needs \"on\" or \"key\"", "add = { site = \"string\" }");
  refuses("needs \"on\" or \"key\"", "on = \"device\", key = { device = \"device\" }, add = { site = \"string\" }");
  refuses("a column is bool, int, float", "on = \"device\", add = { site = \"text\" }");
  refuses("a column is bool, int, float", "on = \"device\", add = { site = \"string(0)\" }");
  refuses("two fields would be called \"n\"", "on = \"device\", add = { n = \"int\" }");
  refuses("at least one column", "on = \"device\", add = {}");
  refuses("there is no field \"site\"", "on = \"site\", add = { site = \"string\" }");
}
