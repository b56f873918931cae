#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(AlignedWindowPlan) {
  std::string key = "device";

  std::string step(const std::string& window) {
    return "[[pipeline.step]]\nid = \"w\"\nkey_by = [\"" + key + "\"]\nwindow = { " + window +
           " }\naggregate = { n = \"count()\" }\n";
  }
  std::string results(const std::string& toml, const std::string& input) {
    StepRig rig(toml);
    STRCMP_EQUAL("", rig.problems().c_str());
    rig.feed_lines(input);
    rig.finish();
    return rig.take_output();
  }
};

TEST(AlignedWindowPlan, an_unknown_zone_is_named) {
  const StepRig rig(step("tumbling = \"1d\", time_zone = \"Europe/Atlantis\""));
  STRCMP_CONTAINS("Europe/Atlantis", rig.problems().c_str());
  STRCMP_CONTAINS("for example: time_zone = \"Europe/Vienna\"", rig.problems().c_str());
}

TEST(AlignedWindowPlan, too_many_slices_per_key_say_what_to_change) {
  const StepRig rig(step("hopping = \"300d\", every = \"1s\""));
  STRCMP_CONTAINS("one key would need 25920001 slices of 1000 ms, more than 100000; make `every` longer",
                  rig.problems().c_str());
}

TEST(AlignedWindowPlan, late_records_go_to_the_branch_that_reads_them) {
  const std::string steps = step("tumbling = \"10s\", late = \"side\"") +
                            "[[pipeline.step]]\nid = \"late\"\nfrom = \"w.late\"\nselect = [\"device\", \"ts\"]\n"
                            "[[pipeline.step]]\nid = \"on-time\"\nfrom = \"w\"\nfilter = \"n < 0\"\n"
                            "[[pipeline.step]]\nid = \"same\"\nfrom = \"on-time\"\nselect = [\"device\"]\n"
                            "[[pipeline.step]]\nid = \"of-late\"\nfrom = \"late\"\nselect = [\"device\"]\n"
                            "[[pipeline.step]]\nid = \"all\"\nunion = [\"same\", \"of-late\"]\n";
  STRCMP_EQUAL("{\"device\":\"b\"}\n", results(steps,
                                               "{\"device\":\"a\",\"value\":1,\"ts\":10000}\n"
                                               "{\"device\":\"b\",\"value\":1,\"ts\":9999}\n")
                                           .c_str());
}

TEST(AlignedWindowPlan, a_device_that_is_behind_is_not_late_by_its_own_clock) {
  const std::string source =
      "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"sensors/+\"]\nformat = \"json\"\n"
      "fields = { device = \"string(16)\", value = \"float\", ts = \"time(ms)\" }\n"
      "event_time = { field = \"ts\", max_delay = \"0s\", per = \"device\", max_devices = 10 }\n\n";
  STRCMP_EQUAL(
      "{\"device\":\"b\",\"n\":1,\"window_start\":0,\"window_end\":10000}\n"
      "{\"device\":\"a\",\"n\":1,\"window_start\":90000,\"window_end\":100000}\n"
      "{\"device\":\"b\",\"n\":1,\"window_start\":10000,\"window_end\":20000}\n",
      results(source + step("tumbling = \"10s\""),
              "{\"device\":\"a\",\"value\":1,\"ts\":99000}\n"
              "{\"device\":\"b\",\"value\":1,\"ts\":5000}\n"
              "{\"device\":\"b\",\"value\":1,\"ts\":15000}\n")
          .c_str());
}
