// Graphs as users write them: routes, unions, several sources, clocks per device; and what is wrong with those that cannot be.
#include "agent/runtime/step_graph.h"

#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr const char* two_sources =
    "[[pipeline.source]]\nname = \"one\"\nmqtt = \"local\"\ntopics = [\"one/+\"]\nformat = \"json\"\n"
    "fields = { v = \"int\", ts = \"time(ms)\" }\nevent_time = { field = \"ts\", max_delay = \"0s\", idle = \"10s\" }\n"
    "[[pipeline.source]]\nname = \"two\"\ntopics = [\"two/+\"]\nformat = \"json\"\n"
    "fields = { v = \"int\", ts = \"time(ms)\" }\nevent_time = { field = \"ts\", max_delay = \"0s\", idle = \"10s\" }\n"
    "[[pipeline.step]]\nid = \"both\"\nunion = [\"one\", \"two\"]\n"
    "[[pipeline.step]]\nid = \"per-second\"\nwindow = { tumbling = \"1s\" }\naggregate = { n = \"count()\", sum = \"sum(v)\" "
    "}\n";

std::string step(const std::string& body) { return "[[pipeline.step]]\n" + body + "\n"; }

std::string device_clocks(const std::string& more) {
  return "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"s/+\"]\nformat = \"json\"\n"
         "fields = { device = \"string(4)\", v = \"int\", ts = \"time(ms)\" }\n"
         "event_time = { field = \"ts\", max_delay = \"0s\", per = \"device\"" +
         more + " }\n" + step("map = { twice = \"v * 2\" }") +
         step("id = \"per-second\"\nwindow = { tumbling = \"1s\" }\naggregate = { n = \"count()\" }");
}

}  // namespace

TEST_GROUP(StepGraph) {
  std::string problems;

  void says(const std::string& toml, const std::string& problem) {
    problems = StepRig(toml).problems();
    STRCMP_CONTAINS(problem.c_str(), problems.c_str());
  }
};

TEST(StepGraph, several_sources_wait_for_the_slower_one) {
  StepRig rig(two_sources);
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed("one/a {\"v\":1,\"ts\":0}");
  rig.feed("one/a {\"v\":2,\"ts\":5000}");
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.feed("two/a {\"v\":4,\"ts\":999}");
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.feed("two/a {\"v\":8,\"ts\":1000}");
  STRCMP_EQUAL("{\"n\":2,\"sum\":5,\"window_start\":0,\"window_end\":1000}\n", rig.take_output().c_str());
}

TEST(StepGraph, a_silent_source_holds_nothing_back_once_it_is_idle) {
  StepRig rig(two_sources);
  rig.feed("two/a {\"v\":1,\"ts\":0}", 0);
  rig.feed("one/a {\"v\":1,\"ts\":0}", 9'000);
  rig.feed("one/a {\"v\":2,\"ts\":5000}", 10'000);
  rig.check_idle(10'000);
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.check_idle(10'001);
  STRCMP_EQUAL("{\"n\":2,\"sum\":2,\"window_start\":0,\"window_end\":1000}\n", rig.take_output().c_str());
  // It is heard again: it counts again, and what it sends now is late.
  rig.feed("two/a {\"v\":1,\"ts\":10}", 10'500);
  UNSIGNED_LONGS_EQUAL(1, rig.counts().late);
}

TEST(StepGraph, the_watermark_stays_when_all_sources_are_idle) {
  StepRig rig(two_sources);
  rig.feed("two/a {\"v\":1,\"ts\":0}", 0);
  rig.feed("one/a {\"v\":2,\"ts\":5000}", 0);
  rig.check_idle(60'000);
  STRCMP_EQUAL("", rig.take_output().c_str());
  CHECK(rig.graph().idle());
  LONGS_EQUAL(-1, rig.graph().watermark());
}

TEST(StepGraph, a_message_of_no_source_is_refused) {
  StepRig rig(two_sources);
  rig.feed("three/a {\"v\":1,\"ts\":0}");
  STRCMP_EQUAL("refused source topic\n", rig.take_output().c_str());
}

TEST(StepGraph, several_readers_of_one_output_each_get_every_record) {
  StepRig rig(step("id = \"a\"\nfrom = \"source\"\nmap = { n = \"1\" }") +
              step("id = \"b\"\nfrom = \"source\"\nmap = { n = \"2\" }") + step("id = \"all\"\nunion = [\"a\", \"b\"]"));
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed("{\"device\":\"d\",\"value\":1,\"ts\":0}");
  STRCMP_EQUAL("{\"device\":\"d\",\"value\":1,\"ts\":0,\"n\":1}\n{\"device\":\"d\",\"value\":1,\"ts\":0,\"n\":2}\n",
               rig.take_output().c_str());
  UNSIGNED_LONGS_EQUAL(2, rig.graph().fan_out());
  UNSIGNED_LONGS_EQUAL(1, rig.counts().applied);
}

TEST(StepGraph, a_message_that_one_reader_filters_and_another_takes_is_applied) {
  StepRig rig(step("id = \"a\"\nfrom = \"source\"\nfilter = \"value > 0\"") +
              step("id = \"b\"\nfrom = \"source\"\nfilter = \"value > 10\"") + step("id = \"all\"\nunion = [\"a\", \"b\"]"));
  rig.feed_lines("{\"device\":\"d\",\"value\":5,\"ts\":0}\n{\"device\":\"d\",\"value\":-5,\"ts\":0}\n");
  UNSIGNED_LONGS_EQUAL(1, rig.counts().applied);
  UNSIGNED_LONGS_EQUAL(1, rig.counts().filtered);
}

TEST(StepGraph, knows_which_step_is_the_first_to_take_a_record_up) {
  const std::string window = "window = { tumbling = \"1s\" }\naggregate = { n = \"count()\" }";
  StepRig chain(step("id = \"f\"\nfilter = \"value > 0\"") + step("id = \"w\"\n" + window) +
                step("id = \"m\"\nmap = { twice = \"n * 2\" }"));
  STRCMP_EQUAL("", chain.problems().c_str());
  CHECK_TRUE(chain.graph().nothing_before("f"));
  CHECK_TRUE(chain.graph().nothing_before("w"));
  CHECK_FALSE(chain.graph().nothing_before("m"));
  CHECK_FALSE(chain.graph().nothing_before("gone"));
  StepRig fork(step("id = \"a\"\nfrom = \"source\"\nmap = { n = \"1\" }") +
               step("id = \"b\"\nfrom = \"source\"\nmap = { n = \"2\" }") + step("id = \"all\"\nunion = [\"a\", \"b\"]"));
  CHECK_FALSE(fork.graph().nothing_before("a"));
  CHECK_FALSE(fork.graph().nothing_before("all"));
  StepRig merged(two_sources);
  CHECK_TRUE(merged.graph().nothing_before("per-second"));
}

TEST(StepGraph, says_what_is_wrong_with_from_and_union) {
  says(step("id = \"r\"\nroute = { hot = \"value > 80\" }") + step("from = \"r.hit\"\nfilter = \"true\""),
       "c.toml:15:9: error: nothing before this is called \"r.hit\"\nfrom = \"r.hit\"\n        ^~~~~ did you mean \"r.hot\"?");
  says(step("id = \"r\"\nroute = { hot = \"value > 80\" }"), "error: nothing reads \"r.hot\"");
  says(step("id = \"a\"\nfilter = \"true\"") + step("from = \"source\"\nfilter = \"true\""), "error: nothing reads \"a\"");
  says(step("id = \"a\"\nselect = [\"device\"]") + step("union = [\"source\", \"a\"]"),
       "error: \"a\" does not have the fields of \"source\": one has 3 fields, the other 1");
  says(step("id = \"a\"\nmap = { value = \"1\" }") + step("union = [\"source\", \"a\"]"),
       "error: \"a\" does not have the fields of \"source\": field 2 is value (float) and value (int)");
  says(step("id = \"r\"\nroute = { hot = \"valu > 80\" }"), "unknown field \"valu\"");
  says(step("id = \"a\"\nfilter = \"true\"") + step("id = \"b\"\nunion = [\"a\"]"), "union");
}

TEST(StepGraph, says_what_is_wrong_with_several_sources) {
  const std::string text = two_sources;
  auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  says(with("topics = [\"two/+\"]", "topics = [\"one/b\"]"), "this filter and \"one/+\" of another source match common topics");
  says(with("name = \"two\"", "name = \"one\""), "two sources have the name \"one\"");
  says(with("topics = [\"two/+\"]", "qos = 0\ntopics = [\"two/+\"]"), "\"qos\" stands in the pipeline's first source");
  says(with("mqtt = \"local\"\n", ""), "[pipeline.source] needs \"mqtt\"");
  says(with("idle = \"10s\"", "per = \"v\""), "\"per\" needs a pipeline with one source");
  says(with("union = [\"one\", \"two\"]", "from = \"one\"\nfilter = \"true\""), "nothing reads \"two\"");
}

TEST(StepGraph, a_step_that_does_not_follow_device_clocks_waits_for_the_slowest_device) {
  StepRig rig(device_clocks(", idle = \"10s\""));
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed("{\"device\":\"a\",\"v\":1,\"ts\":0}");
  rig.feed("{\"device\":\"b\",\"v\":1,\"ts\":100}");
  rig.feed("{\"device\":\"a\",\"v\":1,\"ts\":9000}", 9'000);
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.check_idle(10'001);
  STRCMP_EQUAL("{\"n\":2,\"window_start\":0,\"window_end\":1000}\n", rig.take_output().c_str());
}

TEST(StepGraph, a_device_that_finds_no_clock_is_refused) {
  StepRig rig(device_clocks(", max_devices = 1"));
  rig.feed("{\"device\":\"a\",\"v\":1,\"ts\":0}");
  rig.feed("{\"device\":\"b\",\"v\":1,\"ts\":0}");
  STRCMP_EQUAL("refused source capacity\n", rig.take_output().c_str());
}

TEST(StepGraph, clocks_come_back_after_a_restart) {
  SavedRig saved;
  {
    StepRig rig(device_clocks(""));
    rig.feed("{\"device\":\"a\",\"v\":1,\"ts\":500}");
    rig.feed("{\"device\":\"b\",\"v\":1,\"ts\":2000}");
    rig.save(saved);
  }
  StepRig rig(device_clocks(""));
  CHECK(rig.restore(saved).ok());
  LONGS_EQUAL(499, rig.graph().watermark());
  rig.feed("{\"device\":\"a\",\"v\":1,\"ts\":1000}");
  STRCMP_EQUAL("{\"n\":1,\"window_start\":0,\"window_end\":1000}\n", rig.take_output().c_str());
}

TEST(StepGraph, says_what_is_wrong_with_a_clock_s_field) {
  std::string text = device_clocks("");
  text.replace(text.find("per = \"device\""), 14, "per = \"devise\"");
  says(text, "unknown field \"devise\"");
}
