#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(GatherStep) {
  std::string max_delay = "0s";

  std::string toml(const std::string& options, const std::string& beside = "") const {
    return "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"t\"]\nformat = \"json\"\n"
           "fields = { k = \"string(8)\", name = \"string(8)\", value = \"float\", ts = \"time(ms)\" }\n"
           "event_time = { field = \"ts\", max_delay = \"" +
           max_delay + "\" }\n[[pipeline.step]]\nid = \"g\"\nkey_by = [\"k\"]\n" + beside + "gather = { " + options + " }\n";
  }
  static std::string reading(const char* key, const char* name, const char* value, int64_t ts) {
    return std::string("{\"k\":\"") + key + "\",\"name\":\"" + name + "\",\"value\":" + value +
           ",\"ts\":" + std::to_string(ts) + "}";
  }
  static std::string row(const char* key, const char* x, const char* y) {
    return std::string("{\"k\":\"") + key + "\",\"x\":" + x + ",\"y\":" + y + "}\n";
  }
  void refuses(const char* why, const std::string& options) const {
    STRCMP_CONTAINS(why, StepRig(toml(options)).problems().c_str());
  }
};

TEST(GatherStep, is_complete_when_every_name_has_a_value) {
  StepRig rig(toml("fields = [\"x\", \"y\"]"));
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed(reading("a", "y", "2", 0));
  rig.feed(reading("b", "x", "3", 1));
  rig.feed(reading("a", "z", "9", 2));
  rig.feed(reading("a", "x", "null", 3));
  STRCMP_EQUAL("", rig.take_output().c_str());
  UNSIGNED_LONGS_EQUAL(2, rig.counts().filtered);
  rig.feed(reading("a", "x", "1", 4));
  STRCMP_EQUAL(row("a", "1", "2").c_str(), rig.take_output().c_str());
  rig.feed(reading("a", "x", "5", 5));
  rig.finish();
  STRCMP_EQUAL("", rig.take_output().c_str());
}

TEST(GatherStep, a_later_value_takes_the_place_of_an_earlier_one_and_an_earlier_one_is_late) {
  StepRig rig(toml("fields = [\"x\", \"y\"]"));
  rig.feed(reading("a", "x", "1", 10));
  rig.feed(reading("a", "x", "2", 11));
  rig.feed(reading("a", "x", "3", 10));
  UNSIGNED_LONGS_EQUAL(1, rig.counts().late);
  rig.feed(reading("a", "x", "4", 11));
  rig.feed(reading("a", "y", "9", 0));
  STRCMP_EQUAL(row("a", "4", "9").c_str(), rig.take_output().c_str());
}

TEST(GatherStep, one_name_is_complete_at_once) {
  StepRig rig(toml("fields = [\"x\"]"));
  rig.feed(reading("a", "x", "1", 10));
  STRCMP_EQUAL("{\"k\":\"a\",\"x\":1}\n", rig.take_output().c_str());
}

TEST(GatherStep, values_that_lie_apart_as_far_as_within_says_belong_together_and_no_further) {
  StepRig rig(toml("fields = [\"x\", \"y\"], within = \"10s\""));
  rig.feed(reading("a", "x", "1", 0));
  rig.feed(reading("a", "y", "2", 10'000));
  STRCMP_EQUAL(row("a", "1", "2").c_str(), rig.take_output().c_str());
  rig.feed(reading("a", "x", "3", 20'000));
  rig.feed(reading("a", "y", "4", 30'001));
  STRCMP_EQUAL(row("a", "3", "null").c_str(), rig.take_output().c_str());
}

TEST(GatherStep, times_out_when_the_watermark_has_passed) {
  StepRig rig(toml("fields = [\"x\", \"y\"], within = \"10s\""));
  rig.feed(reading("a", "x", "1", 0));
  rig.feed(reading("b", "x", "1", 10'000));
  STRCMP_EQUAL("", rig.take_output().c_str());
  rig.feed(reading("b", "x", "2", 10'001));
  STRCMP_EQUAL(row("a", "1", "null").c_str(), rig.take_output().c_str());
}

TEST(GatherStep, an_older_value_brings_the_end_of_its_group_nearer) {
  max_delay = "20s";
  StepRig rig(toml("fields = [\"x\", \"y\"], within = \"10s\""));
  rig.feed(reading("a", "x", "1", 10'000));
  rig.feed(reading("a", "x", "2", 12'000));
  rig.feed(reading("a", "y", "3", 1'999));  // 10.001 s before the newest
  UNSIGNED_LONGS_EQUAL(1, rig.counts().late);
  rig.feed(reading("a", "y", "3", 2'000));
  STRCMP_EQUAL(row("a", "2", "3").c_str(), rig.take_output().c_str());
}

TEST(GatherStep, drops_what_timed_out_if_it_is_told_to) {
  StepRig rig(toml("fields = [\"x\", \"y\"], within = \"10s\", on_timeout = \"drop\""));
  rig.feed(reading("a", "x", "1", 0));
  rig.feed(reading("a", "y", "2", 10'001));
  rig.feed(reading("a", "x", "3", 10'002));
  rig.finish();
  STRCMP_EQUAL(row("a", "3", "2").c_str(), rig.take_output().c_str());
}

TEST(GatherStep, on_change_tells_each_difference_and_nothing_else) {
  StepRig rig(toml("fields = [\"x\", \"y\"], when = \"change\""));
  rig.feed(reading("a", "x", "1", 0));
  rig.feed(reading("a", "x", "1", 1));
  rig.feed(reading("a", "y", "2", 2));
  rig.feed(reading("a", "y", "3", 1));
  rig.feed(reading("a", "y", "3", 2));
  STRCMP_EQUAL((row("a", "1", "null") + row("a", "1", "2") + row("a", "1", "3")).c_str(), rig.take_output().c_str());
  UNSIGNED_LONGS_EQUAL(1, rig.counts().late);
}

TEST(GatherStep, on_change_a_value_counts_as_long_as_within_says) {
  StepRig rig(toml("fields = [\"x\", \"y\"], when = \"change\", within = \"10s\""));
  rig.feed(reading("a", "x", "1", 0));
  rig.feed(reading("a", "y", "2", 10'000));
  rig.feed(reading("a", "y", "3", 10'001));
  rig.feed(reading("a", "x", "1", 10'001));
  STRCMP_EQUAL((row("a", "1", "null") + row("a", "1", "2") + row("a", "null", "3") + row("a", "1", "3")).c_str(),
               rig.take_output().c_str());
}

TEST(GatherStep, evicts_with_or_without_a_word) {
  StepRig silent(toml("fields = [\"x\", \"y\"]", "max_keys = 1\nevict = \"oldest\"\n"));
  StepRig telling(toml("fields = [\"x\", \"y\"]", "max_keys = 1\nevict = \"emit\"\n"));
  StepRig refusing(toml("fields = [\"x\", \"y\"]", "max_keys = 1\n"));
  for (StepRig* rig : {&silent, &telling, &refusing}) {
    rig->feed(reading("a", "x", "1", 0));
    rig->feed(reading("b", "x", "2", 1));
  }
  STRCMP_EQUAL("", silent.take_output().c_str());
  STRCMP_EQUAL(row("a", "1", "null").c_str(), telling.take_output().c_str());
  STRCMP_EQUAL("refused g capacity\n", refusing.take_output().c_str());
}

TEST(GatherStep, refuses_what_cannot_be) {
  refuses("two fields would be called \"k\"", "fields = [\"x\", \"k\"]");
  refuses("two fields would be called \"x\"", "fields = [\"x\", \"x\"]");
  refuses("\"value\" is float; this takes string", "name = \"value\", fields = [\"x\"]");
  refuses("times out", "fields = [\"x\"], on_timeout = \"drop\"");
  refuses("times out", "fields = [\"x\"], when = \"change\", within = \"1s\", on_timeout = \"drop\"");
  refuses("\"fields\" is empty", "fields = []");
}
