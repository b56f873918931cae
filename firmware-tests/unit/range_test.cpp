#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(RangeStep) {
  std::string fields = "{ v = \"float\", w = \"float\", n = \"int\", ok = \"bool\" }";

  std::string toml(const std::string& step) const {
    return "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"t\"]\nformat = \"json\"\nfields = " + fields +
           "\n[[pipeline.step]]\n" + step + "\n";
  }
  std::string ranged(const std::string& step, const std::string& lines) const {
    StepRig rig(toml(step));
    STRCMP_EQUAL("", rig.problems().c_str());
    rig.feed_lines(lines);
    rig.finish();
    return rig.take_output();
  }
  void refuses(const char* why, const std::string& step) const { STRCMP_CONTAINS(why, StepRig(toml(step)).problems().c_str()); }
};

TEST(RangeStep, both_limits_are_plausible_and_what_lies_beyond_becomes_null) {
  fields = "{ v = \"float\" }";
  STRCMP_EQUAL(
      "{\"v\":-40}\n{\"v\":null}\n{\"v\":125}\n{\"v\":null}\n",
      ranged("range = { field = \"v\", min = -40, max = 125 }", "{\"v\":-40}\n{\"v\":-40.001}\n{\"v\":125}\n{\"v\":125.001}\n")
          .c_str());
}

TEST(RangeStep, drops_the_record) {
  fields = "{ v = \"float\" }";
  StepRig rig(toml("range = { field = \"v\", max = 10, action = \"drop\" }"));
  rig.feed_lines("{\"v\":10}\n{\"v\":10.5}\n{\"v\":null}\n");
  STRCMP_EQUAL("{\"v\":10}\n{\"v\":null}\n", rig.take_output().c_str());
  UNSIGNED_LONGS_EQUAL(1, rig.counts().filtered);
}

TEST(RangeStep, clamps_to_the_nearer_limit) {
  fields = "{ v = \"float\", w = \"float\" }";
  STRCMP_EQUAL("{\"v\":0,\"w\":1}\n{\"v\":0.5,\"w\":null}\n",
               ranged("range = { fields = [\"v\", \"w\"], min = 0, max = 1, action = \"clamp\" }",
                      "{\"v\":-3,\"w\":7}\n{\"v\":0.5,\"w\":null}\n")
                   .c_str());
}

TEST(RangeStep, clamps_ints_to_ints_inside_the_limits) {
  fields = "{ n = \"int\" }";
  STRCMP_EQUAL(
      "{\"n\":1}\n{\"n\":9}\n{\"n\":5}\n",
      ranged("range = { field = \"n\", min = 0.5, max = 9.5, action = \"clamp\" }", "{\"n\":0}\n{\"n\":10}\n{\"n\":5}\n")
          .c_str());
}

TEST(RangeStep, compares_ints_as_ints_beyond_what_a_double_holds) {
  fields = "{ n = \"int\" }";
  STRCMP_EQUAL("{\"n\":9007199254740992}\n{\"n\":null}\n", ranged("range = { field = \"n\", max = 9007199254740992 }",
                                                                  "{\"n\":9007199254740992}\n{\"n\":9007199254740993}\n")
                                                               .c_str());
  STRCMP_EQUAL("{\"n\":9223372036854775807}\n{\"n\":-9223372036854775808}\n",
               ranged("range = { field = \"n\", min = -1e300, max = 1e300 }",
                      "{\"n\":9223372036854775807}\n{\"n\":-9223372036854775808}\n")
                   .c_str());
}

TEST(RangeStep, flags_a_record_and_leaves_its_values) {
  fields = "{ v = \"float\", w = \"float\" }";
  STRCMP_EQUAL("{\"v\":5,\"w\":50,\"odd\":true}\n{\"v\":5,\"w\":5,\"odd\":false}\n{\"v\":null,\"w\":5,\"odd\":false}\n",
               ranged("range = { fields = [\"v\", \"w\"], max = 10, action = \"flag\", flag = \"odd\" }",
                      "{\"v\":5,\"w\":50}\n{\"v\":5,\"w\":5}\n{\"v\":null,\"w\":5}\n")
                   .c_str());
}

TEST(RangeStep, refuses_what_cannot_be) {
  refuses("a range needs \"min\" or \"max\"", "range = { field = \"v\" }");
  refuses("\"max\" is below \"min\"", "range = { field = \"v\", min = 2, max = 1 }");
  refuses("no int lies between", "range = { field = \"n\", min = 0.2, max = 0.8 }");
  refuses("one \"field\" or several \"fields\"", "range = { min = 1 }");
  refuses("one \"field\" or several \"fields\"", "range = { field = \"v\", fields = [\"w\"], min = 1 }");
  refuses("\"ok\" is bool; this takes int or float", "range = { field = \"ok\", min = 1 }");
  refuses("there is no field \"vv\" at this step", "range = { field = \"vv\", min = 1 }");
  refuses("the flag's name go together", "range = { field = \"v\", min = 1, flag = \"x\" }");
  refuses("the flag's name go together", "range = { field = \"v\", min = 1, action = \"flag\" }");
  refuses("two fields would be called \"w\"", "range = { field = \"v\", min = 1, action = \"flag\", flag = \"w\" }");
}
