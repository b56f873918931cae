#include "agent/operators/project.h"

#include <memory>

#include "firmware-tests/support/operator_probe.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(Project) {
  Schema input;
  Arena arena{1 << 20};
  std::vector<ProjectedField> fields;

  void setup() override {
    input.add({"device", Type::String, 16});
    input.add({"a", Type::Int, 0});
    input.add({"b", Type::Float, 0});
  }
  std::string output() {
    std::string text;
    for (const ProjectedField& field : fields) text += field.name + "=" + input[field.position].name + " ";
    return text;
  }
};

TEST(Project, select_hands_on_what_is_named_in_that_order) {
  CHECK(select_fields({"b", "device"}, input, fields).message.empty());
  STRCMP_EQUAL("b=b device=device ", output().c_str());
}

TEST(Project, drop_hands_on_the_rest) {
  CHECK(drop_fields({"a"}, input, fields).message.empty());
  STRCMP_EQUAL("device=device b=b ", output().c_str());
}

TEST(Project, rename_keeps_the_places_and_may_swap) {
  CHECK(rename_fields({{"a", "b"}, {"b", "a"}}, input, fields).message.empty());
  STRCMP_EQUAL("device=device b=a a=b ", output().c_str());
}

TEST(Project, names_what_the_record_does_not_have) {
  ProjectFault fault = select_fields({"a", "c"}, input, fields);
  UNSIGNED_LONGS_EQUAL(1, fault.index);
  STRCMP_EQUAL("there is no field \"c\" at this step", fault.message.c_str());
  STRCMP_EQUAL("c", fault.unknown.c_str());
  CHECK_FALSE(drop_fields({"c"}, input, fields).message.empty());
  CHECK_FALSE(rename_fields({{"c", "d"}}, input, fields).message.empty());
}

TEST(Project, refuses_a_name_twice_and_a_record_without_fields) {
  STRCMP_EQUAL("\"a\" is named twice", select_fields({"a", "a"}, input, fields).message.c_str());
  fields.clear();
  STRCMP_EQUAL("no field would be left", drop_fields({"device", "a", "b"}, input, fields).message.c_str());
  fields.clear();
  ProjectFault fault = rename_fields({{"a", "x"}, {"b", "device"}}, input, fields);
  STRCMP_EQUAL("two fields would be called \"device\"", fault.message.c_str());
  UNSIGNED_LONGS_EQUAL(1, fault.index);
  fields.clear();
  STRCMP_EQUAL("a field needs a name", rename_fields({{"a", ""}}, input, fields).message.c_str());
  fields.clear();
  STRCMP_EQUAL("two fields would be called \"x\"", rename_fields({{"a", "x"}, {"b", "x"}}, input, fields).message.c_str());
}

TEST(Project, keeps_types_and_the_rest_of_the_record) {
  CHECK(rename_fields({{"device", "name"}}, input, fields).message.empty());
  Project project("step", fields, input, arena, "test.step");
  CHECK(project.schema()[0] == (Field{"name", Type::String, 16}));
  test::ProbeSink sink;
  project.connect(&sink, nullptr);
  Value values[] = {Value::of_string("d1"), Value::of_int(7), Value::null()};
  Record record{values, 42, 9, false, 5};
  CHECK(project.process(record) == Outcome::Applied);
  STRCMP_EQUAL("d1 7 null\n", sink.lines().c_str());
  CHECK(sink.seen[0] == (test::Seen{"d1 7 null", 42, 9, false, 5}));
}
