#include "agent/operators/map.h"

#include "firmware-tests/support/operator_probe.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(Map) {
  Arena arena;
  Schema input = schema_of({{"device", Type::String, 8}, {"t", Type::Float, 0}, {"n", Type::Int, 0}});
  ProbeSink sink;
  RefusalLog refusals;

  std::vector<MapField> fields(std::vector<std::pair<std::string, std::string>> texts) {
    std::vector<MapField> result;
    for (const auto& [name, text] : texts) result.push_back({name, compiled(text, input)});
    return result;
  }
  std::string mapped(std::vector<std::pair<std::string, std::string>> texts) {
    Map map("m", fields(texts), input, arena, "p.m");
    map.connect(&sink, &refusals);
    Value values[] = {Value::of_string("d1"), Value::of_float(20), Value::of_int(3)};
    CHECK(map.process({.values = values, .event_time_ms = 5, .offset = 9, .identity = 11}) == Outcome::Applied);
    return sink.seen.back().values;
  }
};

TEST(Map, adds_fields_at_the_end_in_the_order_written) {
  STRCMP_EQUAL("d1 20 3 68 4", mapped({{"f", "t * 1.8 + 32"}, {"m", "n + 1"}}).c_str());
  Map map("m", fields({{"f", "t * 1.8 + 32"}, {"who", "device"}}), input, arena, "p.m");
  const Schema expected = schema_of({{"device", Type::String, 8},
                                     {"t", Type::Float, 0},
                                     {"n", Type::Int, 0},
                                     {"f", Type::Float, 0},
                                     {"who", Type::String, 8}});
  CHECK(map.schema().fields() == expected.fields());
}

TEST(Map, replaces_a_field_in_its_place_and_type) {
  STRCMP_EQUAL("d1 68 3", mapped({{"t", "t * 1.8 + 32"}}).c_str());
  STRCMP_EQUAL("d1 20 d1", mapped({{"n", "device"}}).c_str());
  Map map("m", fields({{"n", "device"}}), input, arena, "p.m");
  CHECK(map.schema()[2] == (Field{"n", Type::String, 8}));
}

TEST(Map, every_expression_sees_the_record_as_it_came_in) {
  STRCMP_EQUAL("d1 3 3 23", mapped({{"t", "n * 1.0"}, {"sum", "t + n"}}).c_str());
}

TEST(Map, passes_on_what_else_a_record_carries) {
  mapped({{"n", "n"}});
  LONGS_EQUAL(5, sink.seen[0].event_time_ms);
  UNSIGNED_LONGS_EQUAL(9, sink.seen[0].offset);
  UNSIGNED_LONGS_EQUAL(11, sink.seen[0].identity);
}

TEST(Map, null_empties_a_field_that_exists) {
  STRCMP_EQUAL("d1 null 3", mapped({{"t", "null"}}).c_str());
  Map map("m", fields({{"t", "null"}}), input, arena, "p.m");
  CHECK(map.schema()[1].type == Type::Float);
}

TEST(Map, refuses_null_alone_as_a_new_field) {
  MapFault fault = Map::check(fields({{"n", "n"}, {"x", "null"}}), input);
  UNSIGNED_LONGS_EQUAL(1, fault.field);
  STRCMP_EQUAL("\"x\" would have no type: null alone has none", fault.message.c_str());
}

TEST(Map, refuses_a_name_that_is_set_twice) {
  MapFault fault = Map::check(fields({{"x", "n"}, {"x", "n + 1"}}), input);
  UNSIGNED_LONGS_EQUAL(1, fault.field);
  STRCMP_EQUAL("\"x\" is set twice", fault.message.c_str());
}

TEST(Map, takes_as_many_fields_as_a_record_may_have_and_not_one_more) {
  std::vector<MapField> many;
  for (size_t index = input.size(); index < fields_max; ++index)
    many.push_back({"x" + std::to_string(index), compiled("n", input)});
  CHECK(Map::check(many, input).message.empty());
  many.push_back({"n", compiled("n + 1", input)});
  CHECK(Map::check(many, input).message.empty());
  many.push_back({"straw", compiled("n", input)});
  STRCMP_EQUAL("a record has at most 64 fields", Map::check(many, input).message.c_str());
}
