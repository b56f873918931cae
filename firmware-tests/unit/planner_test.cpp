// What only the planner can see in a configuration: how its parts fit together.
#include "agent/app/planner.h"

#include <fstream>
#include <string>

#include "firmware-tests/support/built_pipelines.h"
#include "firmware-tests/support/temporary_directory.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(Planner) {
  TemporaryDirectory directory;

  static std::string pipeline(const std::string& name, const std::string& filter, const std::string& topic) {
    return "[[pipeline]]\nname = \"" + name + "\"\n[pipeline.source]\nmqtt = \"m\"\ntopics = [\"" + filter +
           "\"]\nformat = \"json\"\nfields = { device = \"topic[1]\", t = \"float\" }\n[pipeline.sink]\nmqtt = \"m\"\n"
           "topic = \"" +
           topic + "\"\nformat = \"json\"\n";
  }
  std::string diagnose(const std::string& pipelines, size_t memory = 64 << 20) {
    std::string path = directory.file("weir.toml");
    std::ofstream(path) << "[mqtt.m]\nurl = \"mqtt://127.0.0.1:1\"\n" << pipelines;
    std::string paths[] = {path};
    LoadedConfig config = load_config(paths, {});
    Arena arena(memory);
    build_pipelines(config, arena);
    return config.diagnostics.format(config.files, false);
  }
};

TEST(Planner, warns_of_results_that_come_back_as_input) {
  STRCMP_CONTAINS("come back as input", diagnose(pipeline("p", "sensors/+/env", "sensors/{device}/env")).c_str());
  STRCMP_CONTAINS("come back as input", diagnose(pipeline("p", "sensors/#", "sensors/mean-{device}")).c_str());
  STRCMP_CONTAINS("come back as input", diagnose(pipeline("p", "a/+/x", "a/{device}{t}/x")).c_str());
}

TEST(Planner, says_nothing_about_results_that_go_elsewhere) {
  STRCMP_EQUAL("", diagnose(pipeline("p", "sensors/+/env", "alerts/{device}")).c_str());
  STRCMP_EQUAL("", diagnose(pipeline("p", "sensors/+/env", "sensors/{device}/mean")).c_str());
}

TEST(Planner, refuses_state_that_is_more_than_the_store_takes_of_a_step) {
  const auto with_keys = [&](const char* max_keys) {
    std::string text = pipeline("p", "a/+", "x/{device}");
    const std::string step =
        "[[pipeline.step]]\nid = \"w\"\nkey_by = [\"device\"]\nwindow = { tumbling = \"1min\", time = \"processing\" }\n"
        "aggregate = { t = \"sum(t)\" }\nmax_keys = " +
        std::string(max_keys) + "\n";
    return diagnose(text.insert(text.find("[pipeline.sink]"), step), as_size(uint64_t{4} << 30));
  };
  if (sizeof(void*) == 4) {  // there addresses end before that
    STRCMP_CONTAINS("2500000 keys x 2 open windows x 108 bytes is more than 134217728", with_keys("2500000").c_str());
  } else {
    STRCMP_CONTAINS(":11:7: error: its state may grow to ", with_keys("2500000").c_str());
    STRCMP_CONTAINS("at most 512 MiB of a step can be stored", with_keys("2500000").c_str());
  }
  STRCMP_EQUAL("", with_keys("100000").c_str());
}

TEST(Planner, refuses_two_connections_with_one_client_id) {
  std::string both = pipeline("means", "a/+", "x/{device}") + pipeline("means-out", "b/+", "y/{device}");
  STRCMP_CONTAINS("would use one MQTT client id", diagnose(both).c_str());
  both = pipeline("means", "a/+", "x/{device}") + pipeline("means-two", "b/+", "y/{device}");
  STRCMP_EQUAL("", diagnose(both).c_str());
}

TEST(Planner, refuses_a_journal_that_holds_too_few_of_the_largest_messages) {
  std::string text = pipeline("p", "a/+", "x/{device}");
  const std::string source = "mqtt = \"m\"\n";
  const auto with = [&](const std::string& options) {
    std::string changed = text;
    return diagnose(changed.insert(changed.find(source), options));
  };
  STRCMP_EQUAL("", with("ack = \"journal\"\n").c_str());
  STRCMP_EQUAL("", with("ack = \"journal\"\njournal = { size = \"576KiB\" }\n").c_str());
  STRCMP_CONTAINS("journal.size needs at least \"544KiB\"",
                  with("ack = \"journal\"\njournal = { size = \"540KiB\" }\n").c_str());
  STRCMP_EQUAL("", with("ack = \"journal\"\nmax_message = \"4KiB\"\njournal = { size = \"256KiB\" }\n").c_str());
}

TEST(Planner, names_a_field_that_the_topic_does_not_have) {
  STRCMP_CONTAINS("devise", diagnose(pipeline("p", "a/+", "x/{devise}")).c_str());
}

TEST(Planner, refuses_an_id_that_names_a_part_of_every_pipeline) {
  std::string text = pipeline("p", "a/+", "x/{device}");
  std::string step =
      "[[pipeline.step]]\nid = \"source\"\nwindow = { tumbling = \"1s\" }\naggregate = { n = \"count()\" }\n"
      "key_by = [\"device\"]\n";
  text.insert(text.find("[pipeline.sink]"), step);
  STRCMP_CONTAINS("\"source\" names a part of every pipeline", diagnose(text).c_str());
}

TEST(Planner, points_into_the_filter_of_an_aggregate) {
  std::string text = pipeline("p", "a/+", "x/{device}");
  const std::string step =
      "[[pipeline.step]]\nid = \"w\"\nwindow = { tumbling = \"1s\" }\n"
      "aggregate = { n = { value = \"coun()\", filter = \"devise == 'a'\" } }\nkey_by = [\"device\"]\n";
  text.insert(text.find("[pipeline.sink]"), step);
  const std::string said = diagnose(text);
  STRCMP_CONTAINS("unknown aggregate \"coun\"", said.c_str());
  STRCMP_CONTAINS("unknown field \"devise\"", said.c_str());
  STRCMP_CONTAINS("\n                                                ^~~~~~ did you mean \"device\"?", said.c_str());
}
