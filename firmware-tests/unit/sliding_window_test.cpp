#include "agent/operators/sliding_window.h"

#include <algorithm>
#include <map>

#include "firmware-tests/unit/own_window_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(SlidingWindow) {
  SlidingWindows windows{10, 20};
  OwnWindowSetup setup;

  OwnWindowRig rig() {
    return OwnWindowRig(setup, [chosen = windows](OwnWindowParts parts, Arena& arena) {
      return make_sliding_windows(chosen, std::move(parts), arena, "p.w");
    });
  }
};

TEST(SlidingWindow, each_record_is_answered_over_the_time_that_ends_with_it) {
  OwnWindowRig step = rig();
  CHECK(step.send("a", 0) == Outcome::Applied);
  step.send("a", 9);
  step.send("a", 10);
  step.send("b", 10);
  STRCMP_EQUAL("a 1 1 -9 1\na 2 2 0 10\na 2 2 1 11\nb 1 1 1 11\n", step.out().c_str());
}

TEST(SlidingWindow, a_result_has_the_event_time_of_its_record_and_is_derived) {
  OwnWindowRig step = rig();
  step.send("a", 7);
  CHECK(step.sink.seen.at(0) == (Seen{"a 1 1 -2 8", 7, 1, true, step.sink.seen[0].identity}));
}

TEST(SlidingWindow, of_equal_times_each_sees_those_before_it) {
  OwnWindowRig step = rig();
  for (int64_t value : {1, 2, 3}) step.send("a", 5, Value::of_int(value));
  CHECK(step.sink.seen[0].identity != step.sink.seen[1].identity);
  STRCMP_EQUAL("a 1 1 -4 6\na 2 3 -4 6\na 3 6 -4 6\n", step.out().c_str());
}

TEST(SlidingWindow, a_record_out_of_order_is_answered_over_its_own_time) {
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.send("a", 20);
  step.advance(5);
  step.send("a", 9);
  step.send("a", 21);
  STRCMP_EQUAL("a 1 1 -9 1\na 1 1 11 21\na 2 2 0 10\na 2 2 12 22\n", step.out().c_str());
}

TEST(SlidingWindow, a_record_at_the_watermark_is_late) {
  setup.late = Late::DeadLetter;
  OwnWindowRig step = rig();
  step.advance(5);
  CHECK(step.send("a", 5) == Outcome::DeadLetter);
  CHECK(step.send("a", 6) == Outcome::Applied);
  CHECK(step.send("a", 5) == Outcome::DeadLetter);
  LONGS_EQUAL(2, step.refusals.count);
}

TEST(SlidingWindow, a_record_that_an_answer_was_given_without_is_partly_late) {
  OwnWindowRig step = rig();
  step.send("a", 20);
  for (int64_t time : {10, 20, 21}) step.send("a", time);
  LONGS_EQUAL(0, step.step->late_partial());
  step.send("b", 11);
  LONGS_EQUAL(0, step.step->late_partial());
  step.send("a", 11);
  LONGS_EQUAL(1, step.step->late_partial());
  step.send("a", 19);
  LONGS_EQUAL(2, step.step->late_partial());
  step.checkpoint();
  CHECK(step.restart().ok());
  LONGS_EQUAL(2, step.step->late_partial());
}

TEST(SlidingWindow, a_record_that_is_too_old_to_be_kept_may_be_partly_late_as_well) {
  windows.max_records = 1;
  OwnWindowRig step = rig();
  step.send("a", 20);
  step.send("a", 10);
  LONGS_EQUAL(0, step.step->late_partial());
  step.send("a", 11);
  LONGS_EQUAL(1, step.step->late_partial());
}

TEST(SlidingWindow, what_no_window_can_reach_any_more_makes_room) {
  windows.max_records = 2;
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.send("a", 1);
  step.advance(9);
  step.send("a", 10);
  LONGS_EQUAL(0, step.step->evicted());
  step.advance(10);
  step.send("a", 11);
  LONGS_EQUAL(0, step.step->evicted());
  STRCMP_EQUAL("a 1 1 -9 1\na 2 2 -8 2\na 2 2 1 11\na 2 2 2 12\n", step.out().c_str());
}

TEST(SlidingWindow, the_oldest_record_goes_when_there_are_too_many_and_that_is_counted) {
  windows.max_records = 2;
  OwnWindowRig step = rig();
  for (int64_t time : {0, 1, 2}) step.send("a", time, Value::of_int(time + 1));
  STRCMP_EQUAL("a 1 1 -9 1\na 2 3 -8 2\na 2 5 -7 3\n", step.out().c_str());
  LONGS_EQUAL(1, step.step->evicted());
  step.send("a", 0, Value::of_int(7));
  STRCMP_EQUAL("a 1 7 -9 1\n", step.out().c_str());
  LONGS_EQUAL(2, step.step->evicted());
  step.send("a", 30);
  LONGS_EQUAL(2, step.step->evicted());
}

TEST(SlidingWindow, a_key_gives_its_room_back_when_no_window_can_reach_its_records) {
  OwnWindowRig step = rig();
  step.send("a", 5);
  step.send("a", 3);
  step.advance(13);
  LONGS_EQUAL(1, step.step->keys());
  step.advance(14);
  LONGS_EQUAL(0, step.step->keys());
  step.send("a", 15);
  STRCMP_EQUAL("a 1 1 -4 6\na 1 1 -6 4\na 1 1 6 16\n", step.out().c_str());
}

TEST(SlidingWindow, keeps_null_and_text_as_they_were) {
  setup.aggregate = {{"n", "count()"}, {"known", "count(v)"}, {"who", "max(device)"}, {"nothing", "count(null)"}};
  OwnWindowRig step = rig();
  step.send("a", 0, Value::null());
  step.send("a", 1, Value::of_int(3));
  STRCMP_EQUAL("a 1 0 a 0 -9 1\na 2 1 a 0 -8 2\n", step.out().c_str());
}

TEST(SlidingWindow, bytes_that_it_cannot_have_written_are_refused) {
  windows = {10, 2};
  Arena arena;
  auto function = make_sliding_windows(windows, {}, arena, "p.w");
  std::vector<uint8_t> state(function->state_bytes());
  CHECK_TRUE(function->valid(state.data()));
  state[0] = 2;
  CHECK_TRUE(function->valid(state.data()));
  state[0] = 3;
  CHECK_FALSE(function->valid(state.data()));
  state[0] = 2;
  state[4] = 1;  // the second one is earlier than the first
  CHECK_FALSE(function->valid(state.data()));
}

TEST(SlidingWindow, random_input_gives_what_the_definition_says_across_restarts) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    windows.size_ms = random.between(1, 12);
    windows.max_records = 200;
    setup.aggregate = {{"n", "count()"}, {"sum", "sum(v)"}, {"first", "first(v)"}, {"last", "last(v)"}};
    const int64_t delay = random.between(0, 30);
    OwnWindowRig step = rig();
    struct Each {
      int64_t time, value;
    };
    std::map<std::string, std::vector<Each>> all;  // those that were taken, by arrival
    int64_t greatest = random.between(-100, 100);
    int64_t watermark = INT64_MIN;
    uint64_t partial = 0;
    for (int64_t number = 0; number < 200; ++number) {
      const int64_t time = greatest + random.between(-2, 1) * windows.size_ms + random.between(-1, 1);
      const std::string key(1, static_cast<char>('a' + random.below(3)));
      const bool late = time <= watermark;
      std::string expected;
      if (!late) {
        const bool missed = std::ranges::any_of(
            all[key], [&](const Each& each) { return each.time > time && each.time - windows.size_ms < time; });
        partial += missed ? 1 : 0;
        all[key].push_back({time, number});
        int64_t n = 0, sum = 0;
        const Each* first = nullptr;
        const Each* last = nullptr;
        for (const Each& each : all[key]) {
          if (each.time <= time - windows.size_ms || each.time > time) continue;
          ++n;
          sum += each.value;
          if (first == nullptr || each.time < first->time) first = &each;
          if (last == nullptr || each.time >= last->time) last = &each;
        }
        expected = key + " " + std::to_string(n) + " " + std::to_string(sum) + " " + std::to_string(first->value) + " " +
                   std::to_string(last->value) + " " + std::to_string(time - windows.size_ms + 1) + " " +
                   std::to_string(time + 1) + "\n";
      }
      const std::string where = "seed " + std::to_string(seed) + ", record " + std::to_string(number);
      CHECK_TRUE_TEXT((step.send(key, time, Value::of_int(number)) == Outcome::Late) == late, where.c_str());
      STRCMP_EQUAL_TEXT(expected.c_str(), step.out().c_str(), where.c_str());
      greatest = std::max(greatest, time);
      watermark = greatest - delay - 1;
      step.advance(watermark);
      if (random.chance(5)) {
        step.checkpoint();
        CHECK(step.restart().ok());
      }
    }
    LONGS_EQUAL(0, step.step->evicted());
    LONGS_EQUAL(partial, step.step->late_partial());
  }
}
