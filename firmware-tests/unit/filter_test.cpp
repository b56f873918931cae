#include "agent/operators/filter.h"

#include "firmware-tests/support/operator_probe.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(Filter) {
  Schema input = schema_of({{"t", Type::Float, 0}});
  ProbeSink sink;
  RefusalLog refusals;

  Outcome filtered(const char* condition, Value value) {
    Filter filter("hot", compiled(condition, input, Type::Bool), input);
    filter.connect(&sink, &refusals);
    Value values[] = {value};
    return filter.process({.values = values, .event_time_ms = 5, .offset = 9, .derived = true, .identity = 11});
  }
};

TEST(Filter, hands_on_a_record_for_which_the_condition_is_true) {
  CHECK(filtered("t > 80", Value::of_float(80.5)) == Outcome::Applied);
  CHECK(sink.seen == std::vector<Seen>({{"80.5", 5, 9, true, 11}}));
}

TEST(Filter, false_is_no) {
  CHECK(filtered("t > 80", Value::of_float(80)) == Outcome::Filtered);
  UNSIGNED_LONGS_EQUAL(0, sink.count);
}

TEST(Filter, null_is_no) {
  CHECK(filtered("t > 80", Value::null()) == Outcome::Filtered);
  UNSIGNED_LONGS_EQUAL(0, sink.count);
}

TEST(Filter, leaves_the_schema_and_the_room_downstream_as_they_are) {
  Filter filter("hot", compiled("t > 80", input, Type::Bool), input);
  filter.connect(&sink, &refusals);
  POINTERS_EQUAL(&input, &filter.schema());
  CHECK(filter.ready());
  sink.room = 0;
  CHECK_FALSE(filter.ready());
}
