// topic(n) in the expressions of a pipeline, from the source's filter to what the sink sends.
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(TopicFunction) {
  std::string topics = "\"halls/+/sensors/+\"";
  std::string fields = "device = \"topic[3]\", value = \"int\"";

  std::string source(const char* name, const std::string& declared) const {
    return std::string("[[pipeline.source]]\nname = \"") + name + "\"\n" + (name[0] == 'a' ? "mqtt = \"local\"\n" : "") +
           "topics = [" + topics + "]\nformat = \"json\"\nfields = { " + declared + " }\n";
  }
  std::string toml(const std::string& steps) const { return source("a", fields) + steps; }
  static std::string step(const std::string& line) { return "[[pipeline.step]]\n" + line + "\n"; }
  std::string output(const std::string& steps, const std::string& lines) const {
    StepRig rig(toml(steps));
    STRCMP_EQUAL("", rig.problems().c_str());
    rig.feed_lines(lines);
    rig.finish();
    return rig.take_output();
  }
  void refuses(const char* why, const std::string& steps) const {
    STRCMP_CONTAINS(why, StepRig(toml(steps)).problems().c_str());
  }
};

TEST(TopicFunction, needs_no_declared_field_and_leaves_none_behind) {
  STRCMP_EQUAL(
      "{\"device\":\"p1\",\"value\":1}\n",
      output(step("filter = \"topic(1) = '2'\""), "halls/2/sensors/p1 {\"value\":1}\nhalls/3/sensors/p1 {\"value\":2}\n")
          .c_str());
}

TEST(TopicFunction, what_is_mapped_is_a_field) {
  STRCMP_EQUAL(
      "{\"device\":\"p1\",\"value\":1,\"hall\":\"2\",\"kind\":\"SENSORS\"}\n",
      output(step("map = { hall = \"topic(1)\", kind = \"upper(topic(2))\" }"), "halls/2/sensors/p1 {\"value\":1}\n").c_str());
}

TEST(TopicFunction, reads_a_declared_field_whatever_it_is_called_by_then) {
  StepRig rig(toml(step("rename = { device = \"pump\" }") + step("filter = \"topic(3) = 'p1'\"")));
  STRCMP_EQUAL("", rig.problems().c_str());
  UNSIGNED_LONGS_EQUAL(2, rig.input().size());
  rig.feed_lines("halls/2/sensors/p1 {\"value\":1}\nhalls/2/sensors/p2 {\"value\":1}\n");
  STRCMP_EQUAL("{\"pump\":\"p1\",\"value\":1}\n", rig.take_output().c_str());
}

TEST(TopicFunction, a_replaced_field_is_the_segment_no_more) {
  refuses("segment 3 of the topic is not known here",
          step("map = { device = \"lower(device)\" }") + step("filter = \"topic(3) = 'p'\""));
  refuses("segment 3 of the topic is not known here",
          step("map = { device = \"null\" }") + step("filter = \"topic(3) = 'p'\""));
}

TEST(TopicFunction, takes_one_field_however_often_it_is_called) {
  StepRig rig(toml(step("filter = \"topic(1) = '2' or topic(1) = '3'\"") + step("map = { hall = \"TOPIC( 1 )\" }")));
  STRCMP_EQUAL("", rig.problems().c_str());
  UNSIGNED_LONGS_EQUAL(3, rig.input().size());
  UNSIGNED_LONGS_EQUAL(64, rig.input()[2].max_length);
}

TEST(TopicFunction, a_segment_that_no_topic_has_is_refused_where_it_stands) {
  refuses("topics that match \"halls/+/sensors/+\" have 4 segments", step("filter = \"topic(4) = 'x'\""));
  refuses("                ^ the first is topic(0), the last topic(3)", step("filter = \"topic(4) = 'x'\""));
  topics = "\"halls/#\"";
  fields = "value = \"int\"";
  refuses("no topic has that many segments", step("filter = \"topic(65536) = 'x'\""));
  STRCMP_EQUAL("", StepRig(toml(step("filter = \"topic(65535) = 'x'\""))).problems().c_str());
}

TEST(TopicFunction, is_null_where_the_topic_is_shorter) {
  topics = "\"halls/#\", \"roof\"";
  fields = "value = \"int\"";
  STRCMP_EQUAL(
      "{\"value\":1,\"hall\":null}\n{\"value\":2,\"hall\":null}\n{\"value\":3,\"hall\":\"\"}\n{\"value\":4,\"hall\":\"2\"}\n",
      output(step("map = { hall = \"topic(1)\" }"),
             "halls {\"value\":1}\nroof {\"value\":2}\nhalls/ {\"value\":3}\nhalls/2/x {\"value\":4}\n")
          .c_str());
}

TEST(TopicFunction, a_segment_is_at_most_64_bytes) {
  const std::string bound(64, 'h');
  STRCMP_EQUAL("{\"device\":\"p\",\"value\":1,\"n\":64}\nrefused source too-long\n",
               output(step("map = { n = \"length(topic(1))\" }"),
                      "halls/" + bound + "/sensors/p {\"value\":1}\n" + "halls/" + bound + "h/sensors/p {\"value\":1}\n")
                   .c_str());
}

TEST(TopicFunction, steps_that_make_records_of_their_own_keep_it_in_a_field_of_theirs_only) {
  for (const char* line :
       {"select = [\"value\"]", "id = \"w\"\nkey_by = [\"value\"]\nwindow = { count = 2 }\naggregate = { n = \"count()\" }"}) {
    refuses("segment 1 of the topic is not known here", step(line) + step("filter = \"topic(1) = '2'\""));
    refuses("segment 3 of the topic is not known here", step(line) + step("filter = \"topic(3) = '2'\""));
  }
  STRCMP_EQUAL("{\"device\":\"p1\",\"n\":1,\"same\":\"p1\"}\n",
               output(step("id = \"w\"\nkey_by = [\"device\"]\nwindow = { count = 1 }\naggregate = { n = \"count()\" }") +
                          step("select = [\"device\", \"n\"]") + step("map = { same = \"topic(3)\" }"),
                      "halls/2/sensors/p1 {\"value\":1}\n")
                   .c_str());
}

TEST(TopicFunction, works_inside_registered_steps_and_aggregates) {
  STRCMP_EQUAL("{\"device\":\"p1\",\"value\":2,\"previous\":\"2\"}\n",
               output(step("id = \"e\"\nkey_by = [\"device\"]\nedge = { value = \"topic(1)\" }"),
                      "halls/2/sensors/p1 {\"value\":1}\nhalls/3/sensors/p1 {\"value\":2}\n")
                   .c_str());
  STRCMP_EQUAL(
      "{\"device\":\"p1\",\"hall\":\"3\"}\n",
      output(
          step("id = \"w\"\nkey_by = [\"device\"]\nwindow = { count = 2 }\naggregate = { hall = { value = \"max(topic(1))\", "
               "filter = \"topic(2) = 'sensors'\" } }") +
              step("select = [\"device\", \"hall\"]"),
          "halls/2/sensors/p1 {\"value\":1}\nhalls/3/sensors/p1 {\"value\":2}\n")
          .c_str());
}

TEST(TopicFunction, has_no_name_in_a_configuration) {
  refuses("there is no field \"topic(1)\"", step("filter = \"topic(1) = '2'\"") + step("select = [\"topic(1)\"]"));
  STRCMP_EQUAL("{\"device\":\"p1\",\"value\":1,\"topic(1)\":\"mine\",\"real\":\"2\"}\n",
               output(step("map = { \"topic(1)\" = \"'mine'\" }") + step("map = { real = \"topic(1)\" }"),
                      "halls/2/sensors/p1 {\"value\":1}\n")
                   .c_str());
}

TEST(TopicFunction, a_union_is_of_sources_that_know_the_same_segments) {
  const std::string unite =
      "[[pipeline.step]]\nid = \"both\"\nunion = [\"a\", \"b\"]\n" + step("map = { hall = \"topic(1)\" }");
  fields = "hall_a = \"topic[1]\", value = \"int\"";
  StepRig rig(source("a", "name = \"topic[1]\", value = \"int\"") + source("b", "name = \"string(64)\", value = \"int\"") +
              unite);
  STRCMP_CONTAINS("match common topics", rig.problems().c_str());
  auto second = [&](const std::string& declared) {
    std::string text = source("b", declared);
    text.replace(text.find("halls/"), 5, "roofs");
    return text;
  };
  StepRig apart(source("a", "name = \"topic[1]\", value = \"int\"") + second("name = \"string(64)\", value = \"int\"") + unite);
  STRCMP_EQUAL("", apart.problems().c_str());
  apart.feed_lines("halls/2/sensors/p {\"value\":1}\nroofs/3/sensors/p {\"name\":\"x\",\"value\":2}\n");
  STRCMP_EQUAL("{\"name\":\"2\",\"value\":1,\"hall\":\"2\"}\n{\"name\":\"x\",\"value\":2,\"hall\":\"3\"}\n",
               apart.take_output().c_str());
}

TEST(TopicFunction, a_union_with_a_branch_that_lost_the_segment_says_so) {
  refuses("only one of them still knows topic(1)",
          "[[pipeline.step]]\nid = \"r\"\nroute = { few = \"value < 10\" }\n"
          "[[pipeline.step]]\nid = \"x\"\nfrom = \"r.few\"\nselect = [\"device\", \"value\"]\n"
          "[[pipeline.step]]\nid = \"u\"\nunion = [\"r\", \"x\"]\n" +
              step("filter = \"topic(1) = '2'\""));
}

TEST(TopicFunction, needs_room_for_a_field) {
  fields = "f0 = \"int\"";
  for (int index = 1; index < 63; ++index) fields += ", f" + std::to_string(index) + " = \"int\"";
  STRCMP_EQUAL("", StepRig(toml(step("filter = \"topic(1) = '2'\""))).problems().c_str());
  fields += ", f63 = \"int\"";
  refuses("a record has at most 64 fields, and this needs one more", step("filter = \"topic(1) = '2'\""));
}

TEST(TopicFunction, survives_a_cut_in_steps_that_keep_whole_records) {
  const std::string text =
      "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"halls/+/sensors/+\"]\nformat = \"json\"\n"
      "fields = { device = \"topic[3]\", value = \"int\", ts = \"time(ms)\" }\n"
      "event_time = { field = \"ts\", max_delay = \"10s\" }\n" +
      step("id = \"s\"\nkey_by = [\"device\"]\nsort = {}") + step("map = { hall = \"topic(1)\" }");
  SavedRig saved;
  {
    StepRig rig(text);
    STRCMP_EQUAL("", rig.problems().c_str());
    rig.feed("halls/2/sensors/p {\"value\":1,\"ts\":2000}");
    rig.feed("halls/3/sensors/p {\"value\":2,\"ts\":1000}");
    rig.save(saved);
    STRCMP_EQUAL("", rig.take_output().c_str());
  }
  StepRig rig(text);
  CHECK(rig.restore(saved).ok());
  rig.finish();
  STRCMP_EQUAL(
      "{\"device\":\"p\",\"value\":2,\"ts\":1000,\"hall\":\"3\"}\n{\"device\":\"p\",\"value\":1,\"ts\":2000,\"hall\":\"2\"}\n",
      rig.take_output().c_str());
}
