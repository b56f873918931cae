#include "agent/app/replay_input.h"

#include <sstream>

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(ReplayInput) {
  std::vector<SourceField> fields;

  void declare(const char* name, Type type) {
    SourceField& field = fields.emplace_back();
    field.field = {name, type, 32};
    field.path = {{name}};
  }
  std::string read(const std::string& text, bool csv) const {
    std::istringstream stream(text);
    ReplayInput input(stream, csv, "t", fields);
    std::string lines;
    while (input.next())
      lines += std::to_string(input.line()) + " " + std::string(input.topic()) + " " + std::string(input.payload()) + "\n";
    return lines;
  }
};

TEST(ReplayInput, a_line_is_a_payload_or_a_topic_and_a_payload) {
  STRCMP_EQUAL("1 t {\"a\": 1}\n3 x/y {\"a\": 2}\n4 t 21.5\n5 x/y 21.5\n6 t [1, 2]\n",
               read("{\"a\": 1}\n\nx/y {\"a\": 2}\r\n21.5\nx/y 21.5\n[1, 2]", false).c_str());
}

TEST(ReplayInput, blanks_in_front_belong_to_nothing) {
  STRCMP_EQUAL("1 t {\"a\": 1}\n2 x/y {\"a\": 2}\n3 x/y 21.5\n4 t \n",
               read("  {\"a\": 1}\n x/y {\"a\": 2}\n12.5  x/y 21.5\n  \n", false).c_str());
}

TEST(ReplayInput, an_arrival_is_a_number_of_seconds_within_reason) {
  STRCMP_EQUAL("1 x/y 1\n2 nan x/y 1\n3 -1 x/y 1\n4 1e12 x/y 1\n",
               read("1e11 x/y 1\nnan x/y 1\n-1 x/y 1\n1e12 x/y 1\n", false).c_str());
}

TEST(ReplayInput, a_row_of_csv_is_an_object) {
  STRCMP_EQUAL(
      "2 t {\"ts\":1,\"v\":-2.5e3,\"s\":\"x\"}\n3 t {\"ts\":2,\"v\":null,\"s\":\"007\"}\n4 t "
      "{\"ts\":3,\"v\":true,\"s\":\"a,\\\"b\"}\n",
      read("\xEF\xBB\xBFts,v,s\n1,-2.5e3,x\n2,,007\n\"3\",true,\"a,\"\"b\"\n", true).c_str());
}

TEST(ReplayInput, a_cell_with_more_digits_than_a_number_holds_is_a_text) {
  STRCMP_EQUAL(
      "2 t {\"a\":18446744073709551615,\"b\":\"18446744073709551616\"}\n"
      "3 t {\"a\":-9223372036854775808,\"b\":\"-9223372036854775809\"}\n"
      "4 t {\"a\":18446744073709551616.0,\"b\":1e30}\n",
      read("a,b\n18446744073709551615,18446744073709551616\n-9223372036854775808,-9223372036854775809\n"
           "18446744073709551616.0,1e30\n",
           true)
          .c_str());
}

TEST(ReplayInput, a_cell_in_quotes_may_hold_line_breaks) {
  STRCMP_EQUAL("2 t {\"a\":\"x\\ny\",\"b\":1}\n4 t {\"a\":2}\n", read("a,b\n\"x\ny\",1\n2\n", true).c_str());
}

TEST(ReplayInput, a_cell_of_a_declared_string_is_a_text_whatever_it_looks_like) {
  declare("serial", Type::String);
  declare("v", Type::Float);
  STRCMP_EQUAL(
      "2 t {\"serial\":\"4711\",\"v\":1,\"other\":4711}\n"
      "3 t {\"serial\":\"4711\",\"v\":1,\"other\":4711}\n"
      "4 t {\"serial\":\"true\",\"v\":true,\"other\":true}\n"
      "5 t {\"serial\":\"null\",\"v\":null,\"other\":null}\n"
      "6 t {\"serial\":null,\"v\":null,\"other\":null}\n"
      "7 t {\"serial\":\"\",\"v\":null,\"other\":null}\n",
      read("serial,v,other\n4711,1,4711\n\"4711\",\"1\",\"4711\"\ntrue,true,true\nnull,null,null\n,,\n\"\",\"\",\"\"\n", true)
          .c_str());
}

TEST(ReplayInput, a_column_is_text_only_for_fields_that_read_it_itself) {
  declare("a", Type::String);
  fields[0].path = {{"a"}, {"b"}};
  declare("c", Type::String);
  fields[1].origin = FieldOrigin::TopicSegment;
  STRCMP_EQUAL("2 t {\"a\":1,\"c\":2}\n", read("a,c\n1,2\n", true).c_str());
  declare("name", Type::String);
  fields[2].path = {{"a"}};
  STRCMP_EQUAL("2 t {\"a\":\"1\",\"c\":2}\n", read("a,c\n1,2\n", true).c_str());
}

TEST(ReplayInput, the_fields_are_those_of_the_source_that_takes_the_topic) {
  PipelineSpec pipeline;
  for (const char* filter : {"$share/g/a/+", "b"}) {
    SourceSpec& source = pipeline.source.emplace_back();
    source.topics.emplace_back().value = filter;
    source.fields.emplace_back().field.name = filter;
  }
  STRCMP_EQUAL("$share/g/a/+", fields_for(pipeline, "a/1").at(0).field.name.c_str());
  STRCMP_EQUAL("b", fields_for(pipeline, "b").at(0).field.name.c_str());
  CHECK(fields_for(pipeline, "c").empty());
}

TEST(ReplayInput, what_json_would_not_read_as_a_number_is_a_text) {
  STRCMP_EQUAL(
      "2 t {\"a\":\"nan\"}\n3 t {\"a\":\"1.\"}\n4 t {\"a\":\"+1\"}\n5 t {\"a\":\".5\"}\n6 t {\"a\":0.5}\n7 t {\"a\":-0}\n8 t "
      "{\"a\":\"-\"}\n9 t {\"a\":\"0x10\"}\n",
      read("a\nnan\n1.\n+1\n.5\n0.5\n-0\n-\n0x10\n", true).c_str());
}

TEST(ReplayInput, a_line_may_begin_with_when_it_came) {
  std::istringstream stream("1700000000.250000000 x/y {\"a\": 1}\n1700000001 x/y 21.5 C\nx/y 21.5\n");
  ReplayInput input(stream, false, "t", {});
  CHECK(input.next());
  LONGS_EQUAL(1'700'000'000'250, input.arrival_ms());
  STRCMP_EQUAL("x/y", std::string(input.topic()).c_str());
  CHECK(input.next());
  LONGS_EQUAL(1'700'000'001'000, input.arrival_ms());
  STRCMP_EQUAL("21.5 C", std::string(input.payload()).c_str());
  CHECK(input.next());
  LONGS_EQUAL(0, input.arrival_ms());
  STRCMP_EQUAL("x/y", std::string(input.topic()).c_str());
}
