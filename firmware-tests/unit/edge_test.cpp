#include "firmware-tests/support/short_rows.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

std::string edge_step_text(const std::string& options) {
  return "[[pipeline.step]]\nid = \"e\"\nkey_by = [\"device\"]\nedge = { " + options + " }\n";
}

}  // namespace

TEST_GROUP(Edge) {
  std::string out;

  void run(const std::string& options, const std::string& rows) {
    StepRig rig(edge_step_text(options));
    STRCMP_EQUAL("", rig.problems().c_str());
    feed_rows(rig, rows);
    out = take_rows(rig);
  }
  void expect(const char* rows) { STRCMP_EQUAL(rows, out.c_str()); }
  void problem(const std::string& options, const char* place, const char* message) {
    StepRig rig(edge_step_text(options));
    STRCMP_CONTAINS(place, rig.problems().c_str());
    STRCMP_CONTAINS(message, rig.problems().c_str());
  }
};

TEST(Edge, a_change_goes_on_with_the_value_before) {
  run("value = \"value\"", "a 1 0, a 1 1, a 2 2, a 2 3, a 1 4");
  expect("a 2 2 1, a 1 4 2");
}

TEST(Edge, rising_is_to_a_greater_value) {
  run("value = \"value\", on = \"rising\"", "a 1 0, a 2 1, a 1 2, a 1.5 3");
  expect("a 2 1 1, a 1.5 3 1");
}

TEST(Edge, falling_of_a_condition_is_from_true_to_false) {
  run("value = \"value > 5\", on = \"falling\"", "a 6 0, a 7 1, a 5 2, a 4 3, a 9 4, a 0 5");
  expect("a 5 2 true, a 0 5 true");
}

TEST(Edge, a_text_is_watched_as_well) {
  run("value = \"value > 5 ? 'high' : 'low'\"", "a 1 0, a 9 1, a 10 2, a 2 3");
  expect("a 9 1 low, a 2 3 high");
}

TEST(Edge, null_is_passed_over) {
  run("value = \"value\"", "a 1 0, a null 1, a 1 2, a null 3, a 2 4");
  expect("a 2 4 1");
}

TEST(Edge, the_first_value_goes_on_if_that_is_wanted) {
  run("value = \"value\", first = true", "a null 0, a 1 1, b 2 2");
  expect("a 1 1 null, b 2 2 null");
  run("value = \"value\", first = true, on = \"falling\"", "a 1 1, a 2 2, a 0 3");
  expect("a 1 1 null, a 0 3 2");
}

TEST(Edge, zero_equals_minus_zero) {
  run("value = \"value\"", "a 0.0 0, a -0.0 1");
  expect("");
}

TEST(Edge, keys_have_values_of_their_own) {
  run("value = \"value\"", "a 1 0, b 2 1, a 1 2, b 3 3");
  expect("b 3 3 2");
}

TEST(Edge, a_late_record_is_no_value_before) {
  run("value = \"value\"", "a 1 10, a 5 9, a 1 11, a 2 11");
  expect("a 2 11 1");
}

TEST(Edge, a_field_of_that_name_must_not_be_there) {
  problem("value = \"value\", previous = \"ts\"", ":39", "two fields would be called \"ts\"");
}

TEST(Edge, the_value_must_compile_and_have_a_type) {
  problem("value = \"valeu\"", ":19", "unknown field \"valeu\"");
  problem("value = \"null\"", ":19", "null alone has no type");
  problem("value = \"value\", on = \"sinking\"", ":32", "sinking");
}
