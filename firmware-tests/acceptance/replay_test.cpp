// `weir replay` as a user runs it: files in, standard output, standard error, exit codes.
#include <fstream>
#include <map>

#include "firmware-tests/support/agent_process.h"
#include "firmware-tests/support/recordings.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(ReplayCommand) {
  TemporaryDirectory directory;
  std::string config = directory.file("c.toml");

  void setup() override {
    std::ofstream(config)
        << "[mqtt.m]\nurl = \"mqtt://127.0.0.1:1\"\n[[pipeline]]\nname = \"p\"\n[pipeline.source]\nmqtt = \"m\"\n"
           "topics = [\"sensors/+/env\"]\nformat = \"json\"\n"
           "fields = { device = \"topic[1]\", t = \"float\", ts = \"time(s)\" }\n"
           "event_time = { field = \"ts\", max_delay = \"0s\" }\n"
           "[[pipeline.step]]\nid = \"w\"\nkey_by = [\"device\"]\nwindow = { tumbling = \"10s\" }\n"
           "aggregate = { n = \"count()\", mean = \"avg(t)\" }\n"
           "[pipeline.sink]\nmqtt = \"m\"\ntopic = \"x\"\nformat = \"json\"\n";
  }
  std::string write(const std::string& name, const std::string& text) {
    std::string path = directory.file(name);
    std::ofstream(path) << text;
    return path;
  }
  ProcessResult replay(const std::string& input, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {agent_program(), "replay", config, "--input", input};
    words.insert(words.end(), more.begin(), more.end());
    return run_process(words);
  }
};

TEST(ReplayCommand, runs_a_recording_and_tells_the_account) {
  ProcessResult result =
      replay(write("r.txt",
                   "sensors/a/env {\"t\":1,\"ts\":1}\nsensors/b/env {\"t\":5,\"ts\":2}\nsensors/a/env {\"t\":2,\"ts\":3}\n"
                   "sensors/a/env {\"t\":2,\"ts\":11}\nsensors/a/env {\"t\":2,\"ts\":4}\nsensors/a/env {\"t\":2,\n"));
  LONGS_EQUAL(0, result.end.exit_code);
  STRCMP_EQUAL(
      "{\"device\":\"a\",\"n\":2,\"mean\":1.5,\"window_start\":0,\"window_end\":10000}\n"
      "{\"device\":\"b\",\"n\":1,\"mean\":5,\"window_start\":0,\"window_end\":10000}\n"
      "{\"device\":\"a\",\"n\":1,\"mean\":2,\"window_start\":10000,\"window_end\":20000}\n",
      result.output.c_str());
  STRCMP_CONTAINS("line 6: refused by source: json: ", result.error.c_str());
  STRCMP_CONTAINS("6 messages: 4 applied, 0 filtered, 1 late, 1 refused; 3 results\n", result.error.c_str());
}

TEST(ReplayCommand, reads_and_writes_csv) {
  ProcessResult result = replay(write("r.csv", "ts,t\n1,1.5\n2,\n"), {"--csv", "--topic", "sensors/kitchen/env"});
  LONGS_EQUAL(0, result.end.exit_code);
  STRCMP_EQUAL("device,n,mean,window_start,window_end\n\"kitchen\",2,1.5,0,10000\n", result.output.c_str());
}

TEST(ReplayCommand, what_topic_reads_is_no_column_and_comes_from_the_option_where_the_file_has_none) {
  std::ofstream(config)
      << "[mqtt.m]\nurl = \"mqtt://127.0.0.1:1\"\n[[pipeline]]\nname = \"p\"\n[pipeline.source]\nmqtt = \"m\"\n"
         "topics = [\"sensors/+/env\"]\nformat = \"json\"\nfields = { t = \"float\" }\n"
         "[[pipeline.step]]\nfilter = \"topic(1) = 'kitchen' and t > 1\"\n"
         "[pipeline.sink]\nmqtt = \"m\"\ntopic = \"x\"\nformat = \"json\"\n";
  const std::string input = write("r.csv", "t\n1\n2\n");
  STRCMP_EQUAL("t\n2\n", replay(input, {"--csv", "--topic", "sensors/kitchen/env"}).output.c_str());
  STRCMP_EQUAL("t\n", replay(input, {"--csv", "--topic", "sensors/attic/env"}).output.c_str());
  STRCMP_EQUAL("{\"t\":2}\n", replay(input, {"--topic", "sensors/kitchen/env"}).output.c_str());
}

TEST(ReplayCommand, says_what_is_wrong) {
  ProcessResult result = replay(directory.file("absent.txt"));
  LONGS_EQUAL(66, result.end.exit_code);
  STRCMP_CONTAINS("cannot read", result.error.c_str());
  result = run_process({agent_program(), "replay", config});
  LONGS_EQUAL(64, result.end.exit_code);
  STRCMP_CONTAINS("--input FILE or --journal is missing", result.error.c_str());
  result = replay(write("r.txt", ""), {"--pipeline", "q"});
  LONGS_EQUAL(78, result.end.exit_code);
  STRCMP_CONTAINS("there is no pipeline q", result.error.c_str());
  result = replay(write("r.txt", ""), {"--set", "pipeline.p.step.w.window.tumbling=x"});
  LONGS_EQUAL(78, result.end.exit_code);
}

TEST(ReplayCommand, gives_the_same_output_every_time) {
  std::string lines;
  for (int index = 0; index < 2000; ++index)
    lines += "sensors/d" + std::to_string(index * 7 % 13) + "/env {\"t\":" + std::to_string(index % 17) +
             ".25,\"ts\":" + std::to_string(index - index % 5 * 3) + "}\n";
  const std::string path = write("r.txt", lines);
  ProcessResult first = replay(path);
  ProcessResult second = replay(path);
  CHECK(first.output.size() > 1000);
  CHECK(first.output == second.output);
}

// Three stations, one after the other in the file: a year of one ends where the year of the next begins.
TEST(ReplayCommand, a_year_of_three_stations_is_late_by_one_clock_and_whole_by_one_per_station) {
  if (!test::have_recording("nycweather/weather.csv")) return;
  const std::string weather = test::recording_path("nycweather/weather.csv");
  std::ifstream file(weather);
  std::map<std::string, std::map<std::string, int>> days;  // station, day: hours
  size_t rows = 0;
  std::string line;
  std::getline(file, line);
  for (; std::getline(file, line); ++rows) ++days[line.substr(0, 3)][line.substr(line.rfind(',') + 1, 10)];
  auto run = [&](const std::string& per) {
    std::ofstream(config)
        << "[mqtt.m]\nurl = \"mqtt://127.0.0.1:1\"\n[[pipeline]]\nname = \"p\"\n[pipeline.source]\nmqtt = \"m\"\n"
           "topics = [\"weather\"]\nformat = \"json\"\n"
           "fields = { origin = \"string(3)\", at = \"time(rfc3339) $.time_hour\" }\n"
           "event_time = { field = \"at\", max_delay = \"0s\"" +
               per +
               " }\n[[pipeline.step]]\nid = \"w\"\nkey_by = [\"origin\"]\nwindow = { tumbling = \"1d\" }\n"
               "aggregate = { n = \"count()\" }\n"
               "[pipeline.sink]\nmqtt = \"m\"\ntopic = \"x\"\nformat = \"json\"\n";
    return replay(weather);
  };
  const ProcessResult one_clock = run("");
  STRCMP_CONTAINS((std::to_string(rows) + " messages: ").c_str(), one_clock.error.c_str());
  CHECK(one_clock.error.find(" 0 late") == std::string::npos);
  const ProcessResult own_clocks = run(", per = \"origin\"");
  size_t windows = 0;
  for (const auto& [station, each] : days) windows += each.size();
  STRCMP_CONTAINS(
      (std::to_string(rows) + " applied, 0 filtered, 0 late, 0 refused; " + std::to_string(windows) + " results").c_str(),
      own_clocks.error.c_str());
}
