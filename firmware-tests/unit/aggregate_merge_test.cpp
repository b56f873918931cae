// Aggregate::merge: a stream that is cut anywhere, its parts added apart and merged, gives what adding all of it gives.
#include <algorithm>
#include <cmath>

#include "agent/operators/aggregate_set.h"
#include "firmware-tests/support/operator_probe.h"
#include "firmware-tests/support/random.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

struct Reading {
  std::vector<Value> values;  // b, i, f, s, t
  int64_t time_ms = 0;
};

Schema merge_schema() {
  return schema_of(
      {{"b", Type::Bool, 0}, {"i", Type::Int, 0}, {"f", Type::Float, 0}, {"s", Type::String, 5}, {"t", Type::Time, 0}});
}

constexpr std::string_view merge_texts[] = {"", "a", "abcde", "zz", "\xC3\xA9"};

Reading random_reading(Random& random, int64_t time_ms) {
  Reading reading;
  reading.time_ms = time_ms;
  const int64_t number = random.chance(3) ? INT64_MAX - random.between(0, 2) : random.between(-50, 50);
  reading.values = {Value::of_bool(random.chance(50)), Value::of_int(random.chance(50) ? number : -number),
                    Value::of_float(static_cast<double>(random.between(-1000, 1000)) / 8),
                    Value::of_string(merge_texts[random.below(std::size(merge_texts))]),
                    Value::of_time(random.between(-99, 99))};
  for (Value& value : reading.values)
    if (random.chance(15)) value = Value::null();
  return reading;
}

/// In the order of event time, with equal times.
std::vector<Reading> random_stream(Random& random) {
  std::vector<Reading> stream;
  int64_t time_ms = random.between(-100, 100);
  for (uint64_t count = random.below(12); count > 0; --count) {
    stream.push_back(random_reading(random, time_ms));
    time_ms += random.between(0, 3);
  }
  return stream;
}

}  // namespace

TEST_GROUP(AggregateMerge) {
  Schema input = merge_schema();
  std::vector<uint8_t> whole;

  /// One accumulator of `made`, empty.
  static std::vector<uint8_t> room(const Aggregation& made) { return std::vector<uint8_t>(made.aggregate->bytes()); }
  static void add(const Aggregation& made, std::vector<uint8_t>& at, const Reading& reading) {
    const Value value = made.argument.empty() ? Value::null() : made.argument.evaluate(reading.values);
    made.aggregate->add(at.data(), value, reading.time_ms);
  }
  /// The results of `text` over all of the stream, added at once, and cut in front of its element `cut`, or at the time
  /// `cut` where that is what divides it, and merged.
  template <class IsEarly>
  std::pair<Value, Value> both(const Aggregation& made, const std::vector<Reading>& stream, IsEarly is_early,
                               std::vector<uint8_t>& early) {
    whole = room(made);
    early = room(made);
    std::vector<uint8_t> late = room(made);
    for (size_t index = 0; index < stream.size(); ++index) {
      add(made, whole, stream[index]);
      add(made, is_early(index) ? early : late, stream[index]);
    }
    made.aggregate->merge(early.data(), late.data());
    CHECK(made.aggregate->valid(early.data()));
    return {made.aggregate->result(whole.data()), made.aggregate->result(early.data())};
  }
};

/// Those whose results do not depend on the order in which floats are added (here floats are eighths: their sums are exact).
TEST(AggregateMerge, a_stream_cut_anywhere_and_merged_gives_what_adding_all_gives) {
  const char* calls[] = {"count()",  "count(f)", "sum(i)",   "sum(f)",  "avg(i)",   "avg(f)",  "min(i)",   "max(i)",
                         "min(f)",   "max(f)",   "min(s)",   "max(s)",  "min(t)",   "max(t)",  "first(b)", "last(b)",
                         "first(i)", "last(i)",  "first(f)", "last(f)", "first(s)", "last(s)", "first(t)", "last(t)"};
  Random random(7);
  std::vector<uint8_t> merged;
  for (int round = 0; round < 300; ++round) {
    const std::vector<Reading> stream = random_stream(random);
    for (const char* call : calls) {
      const Aggregation made = aggregation_of("x", call, input);
      for (size_t cut = 0; cut <= stream.size(); ++cut) {
        const auto [expected, actual] = both(
            made, stream, [&](size_t index) { return index < cut; }, merged);
        if (text_of(expected) != text_of(actual)) printf("seed 7, round %d, %s cut at %zu\n", round, call, cut);
        STRCMP_EQUAL(text_of(expected).c_str(), text_of(actual).c_str());
      }
    }
  }
}

/// A slice takes what belongs to it in any order; only the slices follow each other in event time.
TEST(AggregateMerge, parts_of_different_event_time_may_have_arrived_in_any_order) {
  const char* calls[] = {"count()", "sum(i)",   "sum(f)",  "avg(f)",   "min(i)",
                         "max(s)",  "first(i)", "last(i)", "first(s)", "last(s)"};
  Random random(8);
  std::vector<uint8_t> merged;
  for (int round = 0; round < 300; ++round) {
    std::vector<Reading> stream = random_stream(random);
    for (size_t index = stream.size(); index > 1; --index) std::swap(stream[index - 1], stream[random.below(index)]);
    const int64_t edge_ms = stream.empty() ? 0 : stream[random.below(stream.size())].time_ms;
    for (const char* call : calls) {
      const Aggregation made = aggregation_of("x", call, input);
      const auto early = [&](size_t index) { return stream[index].time_ms < edge_ms; };
      const auto [expected, actual] = both(made, stream, early, merged);
      if (text_of(expected) != text_of(actual)) printf("seed 8, round %d, %s\n", round, call);
      STRCMP_EQUAL(text_of(expected).c_str(), text_of(actual).c_str());
    }
  }
}

TEST(AggregateMerge, an_empty_accumulator_changes_nothing_and_takes_everything) {
  const Reading reading = {{Value::of_bool(true), Value::of_int(-4), Value::of_float(2.5), Value::of_string("abcde"), Value()},
                           -3};
  for (const char* call : {"count()", "sum(i)", "sum(f)", "avg(i)", "min(s)", "max(f)", "first(s)", "last(b)"}) {
    const Aggregation made = aggregation_of("x", call, input);
    std::vector<uint8_t> full = room(made);
    std::vector<uint8_t> empty = room(made);
    add(made, full, reading);
    const std::string expected = text_of(made.aggregate->result(full.data()));
    made.aggregate->merge(full.data(), empty.data());
    STRCMP_EQUAL(expected.c_str(), text_of(made.aggregate->result(full.data())).c_str());
    made.aggregate->merge(empty.data(), full.data());
    STRCMP_EQUAL(expected.c_str(), text_of(made.aggregate->result(empty.data())).c_str());
  }
}

TEST(AggregateMerge, sums_of_floats_keep_what_plain_addition_loses) {
  const Aggregation made = aggregation_of("x", "sum(f)", input);
  std::vector<Reading> stream;
  for (double number : {1.0, 1e100, 1.0, -1e100})
    stream.push_back({{Value(), Value(), Value::of_float(number), Value(), Value()}, 0});
  std::vector<uint8_t> merged;
  for (size_t cut = 0; cut <= stream.size(); ++cut) {
    const auto [expected, actual] = both(
        made, stream, [&](size_t index) { return index < cut; }, merged);
    STRCMP_EQUAL("2", text_of(expected).c_str());
    STRCMP_EQUAL("2", text_of(actual).c_str());
  }
}

TEST(AggregateMerge, sums_of_any_floats_agree_within_the_stated_bound) {
  Random random(9);
  std::vector<uint8_t> merged;
  const Aggregation made = aggregation_of("x", "sum(f)", input);
  for (int round = 0; round < 200; ++round) {
    std::vector<Reading> stream;
    double magnitudes = 0;
    for (uint64_t count = 1 + random.below(200); count > 0; --count) {
      const double number =
          std::ldexp(static_cast<double>(random.between(-999999, 999999)) / 7, static_cast<int>(random.between(-30, 30)));
      magnitudes += std::fabs(number);
      stream.push_back({{Value(), Value(), Value::of_float(number), Value(), Value()}, 0});
    }
    const size_t cut = random.below(stream.size() + 1);
    const auto [expected, actual] = both(
        made, stream, [&](size_t index) { return index < cut; }, merged);
    const double bound =
        std::ldexp(std::fabs(expected.as_float()), -52) + std::ldexp(static_cast<double>(stream.size()) * magnitudes, -104);
    if (std::fabs(expected.as_float() - actual.as_float()) > bound) printf("seed 9, round %d\n", round);
    CHECK(std::fabs(expected.as_float() - actual.as_float()) <= bound);
  }
}

TEST_GROUP(AggregateSet) {
  Schema input = merge_schema();
  AggregateSet set;
  std::vector<ExpressionError> errors;

  void give(const char* name, const char* text, const char* filter = "") {
    Aggregation made = aggregation_of(name, text, input);
    if (*filter != 0) CHECK(add_filter(filter, input, made, errors));
    set.push_back(std::move(made));
  }
  static void add(const AggregateSet& to, uint8_t* at, Value number, Value text, int64_t time_ms) {
    const Value values[] = {Value(), number, Value(), text, Value()};
    Record record;
    record.values = values;
    record.event_time_ms = time_ms;
    to.add(at, record);
  }
  static std::string results(const AggregateSet& of, const uint8_t* at) {
    std::vector<Value> row(of.size());
    of.results(at, row);
    std::string text;
    for (const Value& value : row) text += (text.empty() ? "" : " ") + text_of(value);
    return text;
  }
};

TEST(AggregateSet, keeps_its_accumulators_side_by_side) {
  give("n", "count()");
  give("who", "last(s)");
  give("sum", "sum(i)");
  UNSIGNED_LONGS_EQUAL(8 + (8 + 3 + 5) + 17, set.bytes());
  std::vector<uint8_t> memory(set.bytes() + 2);
  uint8_t* at = memory.data() + 1;
  STRCMP_EQUAL("0 null null", results(set, at).c_str());
  add(set, at, Value::of_int(-1), Value::of_string("abcde"), 5);
  add(set, at, Value::of_int(4), Value::of_string("zz"), 4);
  STRCMP_EQUAL("2 abcde 3", results(set, at).c_str());
  CHECK(set.valid(at));
  UNSIGNED_LONGS_EQUAL(0, memory.front());
  UNSIGNED_LONGS_EQUAL(0, memory.back());
}

TEST(AggregateSet, merges_each_with_its_own) {
  give("n", "count()");
  give("low", "min(i)");
  give("who", "first(s)");
  std::vector<uint8_t> early(set.bytes());
  std::vector<uint8_t> late(set.bytes());
  add(set, early.data(), Value::of_int(3), Value::of_string("a"), 1);
  add(set, late.data(), Value::of_int(-7), Value::of_string("zz"), 2);
  set.merge(early.data(), late.data());
  STRCMP_EQUAL("2 -7 a", results(set, early.data()).c_str());
  STRCMP_EQUAL("1 -7 zz", results(set, late.data()).c_str());
}

TEST(AggregateSet, counts_only_what_a_filter_says_yes_to) {
  give("all", "count()");
  give("hot", "count()", "i > 10");
  give("sum", "sum(i)", "s == 'a'");
  std::vector<uint8_t> at(set.bytes());
  add(set, at.data(), Value::of_int(11), Value::of_string("a"), 1);  // yes, yes
  add(set, at.data(), Value::of_int(10), Value::of_string("a"), 2);  // no, yes
  add(set, at.data(), Value::of_int(99), Value::null(), 3);          // yes, null
  add(set, at.data(), Value::null(), Value::of_string("zz"), 4);     // null, no
  STRCMP_EQUAL("4 2 21", results(set, at.data()).c_str());
}

TEST(AggregateSet, yields_fields_in_its_order) {
  give("n", "count()");
  give("who", "last(s)");
  Schema schema = schema_of({{"device", Type::Int, 0}});
  set.append_fields(schema);
  UNSIGNED_LONGS_EQUAL(3, schema.size());
  STRCMP_EQUAL("n", schema[1].name.c_str());
  CHECK(schema[1].type == Type::Int);
  STRCMP_EQUAL("who", schema[2].name.c_str());
  UNSIGNED_LONGS_EQUAL(5, schema[2].max_length);
}

TEST(AggregateSet, its_layout_names_calls_filters_and_types) {
  give("n", "count( )", "i  >  1");
  give("who", "last(s)");
  StateLayout layout;
  set.describe(layout.fields);
  STRCMP_EQUAL("\naggregate(8) n \"count null\" \"count() if i>1\"\naggregate(16) who \"last string(5)\" last(s)\n",
               layout.text().c_str());
}

TEST(AggregateSet, bytes_are_valid_if_those_of_each_are) {
  give("n", "count()");
  give("low", "min(i)");
  std::vector<uint8_t> at(set.bytes());
  CHECK(set.valid(at.data()));
  at[7] = 0x80;
  CHECK_FALSE(set.valid(at.data()));
  at[7] = 0;
  at[8] = 2;
  CHECK_FALSE(set.valid(at.data()));
}

TEST(AggregateSet, a_filter_must_be_a_condition) {
  Aggregation made = aggregation_of("n", "count()", input);
  CHECK_FALSE(add_filter("i + 1", input, made, errors));
  STRCMP_EQUAL("expected bool, found int", errors.at(0).message.c_str());
  errors.clear();
  CHECK_FALSE(add_filter("j > 1", input, made, errors));
  STRCMP_EQUAL("unknown field \"j\"", errors.at(0).message.c_str());
}
