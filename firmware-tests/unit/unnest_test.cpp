#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(UnnestStep) {
  std::string fields = "{ device = \"string(8)\", t1 = \"float\", t2 = \"float\", n = \"int\", ok = \"bool\" }";

  std::string toml(const std::string& step) const {
    return "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"t\"]\nformat = \"json\"\nfields = " + fields +
           "\n[[pipeline.step]]\n" + step + "\n";
  }
  void refuses(const char* why, const std::string& step) const { STRCMP_CONTAINS(why, StepRig(toml(step)).problems().c_str()); }
};

TEST(UnnestStep, makes_one_record_per_field_and_keeps_the_others) {
  fields = "{ device = \"string(8)\", t1 = \"float\", t2 = \"float\" }";
  StepRig rig(toml("unnest = { fields = [\"t2\", \"t1\"], name = \"channel\", value = \"t\" }"));
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed("{\"device\":\"a\",\"t1\":1.5,\"t2\":2.5}");
  STRCMP_EQUAL("{\"device\":\"a\",\"channel\":\"t2\",\"t\":2.5}\n{\"device\":\"a\",\"channel\":\"t1\",\"t\":1.5}\n",
               rig.take_output().c_str());
  UNSIGNED_LONGS_EQUAL(1, rig.counts().applied);
}

TEST(UnnestStep, leaves_out_nulls_and_filters_out_a_record_without_any_value) {
  fields = "{ t1 = \"float\", t2 = \"float\" }";
  StepRig rig(toml("unnest = { fields = [\"t1\", \"t2\"] }"));
  rig.feed("{\"t1\":null,\"t2\":2}");
  STRCMP_EQUAL("{\"name\":\"t2\",\"value\":2}\n", rig.take_output().c_str());
  rig.feed("{}");
  STRCMP_EQUAL("", rig.take_output().c_str());
  UNSIGNED_LONGS_EQUAL(1, rig.counts().filtered);
}

TEST(UnnestStep, hands_on_nulls_where_they_are_wanted) {
  fields = "{ t1 = \"float\", t2 = \"float\" }";
  StepRig rig(toml("unnest = { fields = [\"t1\", \"t2\"], skip_null = false }"));
  rig.feed("{\"t2\":2}");
  STRCMP_EQUAL("{\"name\":\"t1\",\"value\":null}\n{\"name\":\"t2\",\"value\":2}\n", rig.take_output().c_str());
}

TEST(UnnestStep, int_and_float_become_float) {
  fields = "{ n = \"int\", t1 = \"float\" }";
  StepRig rig(toml("unnest = { fields = [\"n\", \"t1\"] }\n[[pipeline.step]]\nmap = { half = \"value / 2\" }"));
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed("{\"n\":3,\"t1\":5}");
  STRCMP_EQUAL("{\"name\":\"n\",\"value\":3,\"half\":1.5}\n{\"name\":\"t1\",\"value\":5,\"half\":2.5}\n",
               rig.take_output().c_str());
}

TEST(UnnestStep, refuses_what_cannot_be) {
  refuses("one field cannot take both", "unnest = { fields = [\"t1\", \"ok\"] }");
  refuses("\"t1\" is named twice", "unnest = { fields = [\"t1\", \"t1\"] }");
  refuses("two fields would be called \"device\"", "unnest = { fields = [\"t1\"], name = \"device\" }");
  refuses("two fields would be called \"name\"", "unnest = { fields = [\"t1\"], value = \"name\" }");
  refuses("there is no field \"t9\" at this step", "unnest = { fields = [\"t9\"] }");
}

/// By hand, to see what a sink sees of a record besides its values.
TEST(UnnestStep, results_are_derived_have_identities_of_their_own_and_keep_the_event_time) {
  struct NoErrors final : StepErrors {
    void error(const Text&, size_t, size_t, std::string_view message, std::string_view) override {
      FAIL(std::string(message).c_str());
    }
    void error(Location, size_t, std::string_view message, std::string_view) override { FAIL(std::string(message).c_str()); }
  } errors;
  Arena arena(1 << 20);
  const Schema input = schema_of({{"t1", Type::Float, 0}, {"t2", Type::Float, 0}});
  StepOptions options;
  options.value("fields").list = {{"t1", {}, {}}, {"t2", {}, {}}};
  options.value("name").text.value = "name";
  options.value("value").text.value = "value";
  KeyedSpec spec;
  spec.id = "u";
  StepBuild build(options, input, spec, arena, "p.u", {}, errors);
  const std::unique_ptr<Operator> made = unnest_step.make(build);
  ProbeSink sink;
  RefusalLog refusals;
  made->connect(&sink, &refusals);
  UNSIGNED_LONGS_EQUAL(2, made->fan_out());
  const Value values[] = {Value::of_float(1), Value::of_float(1)};
  for (uint64_t offset : {uint64_t{7}, uint64_t{8}})
    (void)made->process({.values = values, .event_time_ms = 5, .offset = offset, .identity = offset});
  UNSIGNED_LONGS_EQUAL(4, sink.seen.size());
  for (size_t index = 0; index < 4; ++index) {
    CHECK(sink.seen[index].derived);
    LONGS_EQUAL(5, sink.seen[index].event_time_ms);
    UNSIGNED_LONGS_EQUAL(7 + index / 2, sink.seen[index].offset);
    for (size_t other = 0; other < index; ++other) CHECK(sink.seen[index].identity != sink.seen[other].identity);
  }
}
