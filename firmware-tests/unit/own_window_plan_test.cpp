#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(OwnWindowPlan) {
  std::string aggregate = "n = \"count()\"";

  std::string step(const std::string& window) {
    return "[[pipeline.step]]\nid = \"w\"\nkey_by = [\"device\"]\nwindow = { " + window + " }\naggregate = { " + aggregate +
           " }\n";
  }
  void says(const char* problem, const std::string& window) {
    const StepRig rig(step(window));
    STRCMP_CONTAINS(problem, rig.problems().c_str());
  }
  std::string fields(const std::string& window) {
    const StepRig rig(step(window));
    STRCMP_EQUAL("", rig.problems().c_str());
    std::string names;
    for (const Field& field : rig.schema().fields()) names += (names.empty() ? "" : " ") + field.name;
    return names;
  }
};

TEST(OwnWindowPlan, results_have_a_pane_where_windows_may_fire_again) {
  STRCMP_EQUAL("device n window_start window_end", fields("session = \"10s\"").c_str());
  STRCMP_EQUAL("device n window_start window_end pane", fields("session = \"10s\", allowed_lateness = \"1s\"").c_str());
  STRCMP_EQUAL("device n window_start window_end", fields("count = 10, every = 4").c_str());
}

TEST(OwnWindowPlan, names_that_a_window_adds_are_taken) {
  aggregate = "window_end = \"count()\"";
  says("\"window_end\" is a field that every window adds", "count = 5");
  aggregate = "pane = \"count()\"";
  says("\"pane\" is a field that every window adds", "session = \"10s\", allowed_lateness = \"1s\"");
  says("", "session = \"10s\"");
  aggregate = "device = \"count()\"";
  says("\"device\" is there twice", "sliding = \"10s\"");
}

TEST(OwnWindowPlan, conditions_are_compiled_at_their_place) {
  says("unknown field \"valu\"", "open = \"valu > 3\", close = \"value == 0\"");
  says("bool", "open = \"value > 3\", close = \"value\"");
}

TEST(OwnWindowPlan, a_state_that_cannot_be_stored_is_refused) {
  says("the state of one key would take", "sliding = \"10s\", max_records = 100000");
  says("the state of one key would take", "count = 1000000, every = 999999");
  says("", "count = 1000000");
}

TEST(OwnWindowPlan, late_records_can_be_read_by_another_step) {
  StepRig rig(step("session = \"10s\", late = \"side\"") +
              "[[pipeline.step]]\nid = \"results\"\nselect = [\"device\"]\n"
              "[[pipeline.step]]\nid = \"kept\"\nfrom = \"w.late\"\nselect = [\"device\"]\n"
              "[[pipeline.step]]\nunion = [\"results\", \"kept\"]\n");
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed_lines("{\"device\":\"a\",\"value\":1,\"ts\":50000}\n{\"device\":\"b\",\"value\":2,\"ts\":0}\n");
  STRCMP_EQUAL("{\"device\":\"b\"}\n", rig.take_output().c_str());
  rig.finish();
  STRCMP_EQUAL("{\"device\":\"a\"}\n", rig.take_output().c_str());
}
