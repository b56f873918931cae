// collect(x, n): the first n values as a JSON array.
#include "firmware-tests/support/aggregate_probe.h"
#include "firmware-tests/support/random.h"

#include <algorithm>

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(AggregateCollect) { int unused = 0; };

TEST(AggregateCollect, of_nothing_and_of_null_is_null) {
  AggregateProbe probe("collect(x, 3)");
  STRCMP_EQUAL("null", probe.result().c_str());
  STRCMP_EQUAL("null", probe.add(Value(), 0).result().c_str());
}

TEST(AggregateCollect, is_an_array_in_the_order_of_event_time) {
  STRCMP_EQUAL("[1.5,2,3]", over_floats("collect(x, 3)", {{2, 5}, {1.5, 4}, {3, 6}}).c_str());
  STRCMP_EQUAL("[1,2,3]", over_ints("collect(x, 4)", {{1, 5}, {2, 5}, {3, 5}}).c_str());
  STRCMP_EQUAL("[7]", over_ints("collect(x, 1)", {{7, 5}}).c_str());
}

TEST(AggregateCollect, beyond_its_number_the_earliest_stay) {
  STRCMP_EQUAL("[1,2]", over_ints("collect(x, 2)", {{1, 1}, {2, 2}, {3, 3}}).c_str());
  STRCMP_EQUAL("[0,1]", over_ints("collect(x, 2)", {{1, 1}, {2, 2}, {0, 0}}).c_str());
  STRCMP_EQUAL("[1,2]", over_ints("collect(x, 2)", {{1, 1}, {2, 1}, {3, 1}}).c_str());
  STRCMP_EQUAL("[5]", over_ints("collect(x, 1)", {{100000, 9}, {5, 8}}).c_str());
}

TEST(AggregateCollect, takes_any_type) {
  AggregateProbe texts("collect(x, 3)", Type::String, 6);
  texts.add(Value::of_string("a\"b"), 1).add(Value::of_string(""), 2).add(Value::of_string("\xC3\xA9"), 3);
  STRCMP_EQUAL("[\"a\\\"b\",\"\",\"\xC3\xA9\"]", texts.result().c_str());
  AggregateProbe flags("collect(x, 2)", Type::Bool);
  STRCMP_EQUAL("[true,false]", flags.add(Value::of_bool(true), 1).add(Value::of_bool(false), 2).result().c_str());
  AggregateProbe times("collect(x, 2)", Type::Time);
  STRCMP_EQUAL("[-5]", times.add(Value::of_time(-5), 1).result().c_str());
}

TEST(AggregateCollect, the_longest_texts_fill_its_bound) {
  AggregateProbe floats("collect(x, 2)");
  floats.add(Value::of_float(-1.7976931348623157e308), 1).add(Value::of_float(-2.2250738585072014e-308), 2);
  UNSIGNED_LONGS_EQUAL(floats.aggregate().max_length(), floats.result().size());
  AggregateProbe ints("collect(x, 2)", Type::Int);
  ints.add(Value::of_int(INT64_MIN), 1).add(Value::of_int(INT64_MIN), 2);
  UNSIGNED_LONGS_EQUAL(ints.aggregate().max_length(), ints.result().size());
  AggregateProbe texts("collect(x, 2)", Type::String, 3);
  texts.add(Value::of_string("\x01\x02\x03"), 1).add(Value::of_string("\x01\x02\x03"), 2);
  UNSIGNED_LONGS_EQUAL(texts.aggregate().max_length(), texts.result().size());
  STRCMP_EQUAL("[\"\\u0001\\u0002\\u0003\",\"\\u0001\\u0002\\u0003\"]", texts.result().c_str());
}

TEST(AggregateCollect, gives_what_sorting_all_and_cutting_would_give_also_merged) {
  Random random(31);
  for (int round = 0; round < 500; ++round) {
    AggregateProbe whole("collect(x, 4)", Type::Int);
    AggregateProbe early("collect(x, 4)", Type::Int);
    AggregateProbe late("collect(x, 4)", Type::Int);
    std::vector<std::pair<int64_t, int64_t>> all;
    const int64_t edge_ms = random.between(0, 10);
    for (uint64_t count = random.below(12); count > 0; --count) {
      const int64_t time_ms = random.between(0, 10);
      const int64_t number = random.chance(50) ? random.between(0, 9) : random.between(-100000, 100000);
      all.emplace_back(time_ms, number);
      whole.add(Value::of_int(number), time_ms);
      (time_ms < edge_ms ? early : late).add(Value::of_int(number), time_ms);
      CHECK(whole.valid());
    }
    std::ranges::stable_sort(all, {}, [](const auto& each) { return each.first; });
    std::string expected;
    for (size_t index = 0; index < std::min<size_t>(4, all.size()); ++index)
      expected += (index == 0 ? "[" : ",") + std::to_string(all[index].second);
    expected = expected.empty() ? "null" : expected + "]";
    early.merge(late);
    CHECK(early.valid());
    if (expected != whole.result() || expected != early.result()) printf("seed 31, round %d\n", round);
    STRCMP_EQUAL(expected.c_str(), whole.result().c_str());
    STRCMP_EQUAL(expected.c_str(), early.result().c_str());
  }
}

TEST(AggregateCollect, bytes_that_no_accumulator_can_hold_are_not_valid) {
  AggregateProbe probe("collect(x, 2)", Type::Int);
  probe.add(Value::of_int(12), 1).add(Value::of_int(3), 2);
  constexpr size_t text_at = 4 + 2 * 8 + 2 * 2;
  for (size_t at : {size_t{0}, size_t{2}, size_t{4 + 7}, size_t{4 + 16}, text_at, text_at + 3, text_at + 5}) {
    CHECK(probe.valid());
    const uint8_t kept = probe.at()[at];
    probe.at()[at] = 0x7F;
    CHECK_FALSE(probe.valid());
    probe.at()[at] = kept;
  }
  AggregateProbe longer("collect(x, 2)", Type::Int);
  longer.at()[3] = 1;  // text without values
  CHECK_FALSE(longer.valid());
}
