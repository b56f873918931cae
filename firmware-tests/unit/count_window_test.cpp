#include "agent/operators/count_window.h"

#include <algorithm>
#include <deque>
#include <map>

#include "firmware-tests/unit/own_window_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(CountWindow) {
  CountWindows windows{3, 3, false};
  OwnWindowSetup setup;

  OwnWindowRig rig() {
    return OwnWindowRig(setup, [chosen = windows](OwnWindowParts parts, Arena& arena) {
      return make_count_windows(chosen, std::move(parts), arena, "p.w");
    });
  }
  void send_values(OwnWindowRig & step, std::initializer_list<int64_t> values) {
    for (int64_t value : values) CHECK(step.send("a", value * 10, Value::of_int(value)) == Outcome::Applied);
  }
};

TEST(CountWindow, fires_with_the_record_that_fills_it) {
  OwnWindowRig step = rig();
  send_values(step, {1, 2});
  STRCMP_EQUAL("", step.out().c_str());
  step.send("b", 5);
  send_values(step, {3});
  CHECK(step.sink.seen.at(0) == (Seen{"a 3 6 10 31", 30, 4, true, step.sink.seen[0].identity}));
  step.out();
  send_values(step, {4, 5, 6, 7});
  STRCMP_EQUAL("a 3 15 40 61\n", step.out().c_str());
}

TEST(CountWindow, a_key_takes_no_room_between_two_windows) {
  OwnWindowRig step = rig();
  send_values(step, {1, 2});
  LONGS_EQUAL(1, step.step->keys());
  send_values(step, {3});
  LONGS_EQUAL(0, step.step->keys());
}

TEST(CountWindow, goes_by_arrival_and_no_record_is_late) {
  OwnWindowRig step = rig();
  step.advance(1000);
  send_values(step, {3, -1, 2});
  STRCMP_EQUAL("a 3 4 -10 31\n", step.out().c_str());
}

TEST(CountWindow, with_every_says_something_about_the_last_ones_once_there_are_enough) {
  windows = {4, 2, false};
  OwnWindowRig step = rig();
  send_values(step, {1, 2, 3});
  STRCMP_EQUAL("", step.out().c_str());
  send_values(step, {4, 5, 6, 7, 8});
  STRCMP_EQUAL("a 4 10 10 41\na 4 18 30 61\na 4 26 50 81\n", step.out().c_str());
}

TEST(CountWindow, count_need_not_be_a_multiple_of_every) {
  windows = {5, 3, false};
  OwnWindowRig step = rig();
  send_values(step, {1, 2, 3, 4, 5});
  STRCMP_EQUAL("", step.out().c_str());
  send_values(step, {6, 7, 8, 9});
  STRCMP_EQUAL("a 5 20 20 61\na 5 35 50 91\n", step.out().c_str());
}

TEST(CountWindow, with_emit_partial_fires_before_there_are_enough_and_tells_the_rest_at_the_end) {
  windows = {4, 2, true};
  OwnWindowRig step = rig();
  send_values(step, {1, 2});
  STRCMP_EQUAL("a 2 3 10 21\n", step.out().c_str());
  send_values(step, {3, 4, 5, 6, 7});
  STRCMP_EQUAL("a 4 10 10 41\na 4 18 30 61\n", step.out().c_str());
  step.advance(INT64_MAX - 2);
  STRCMP_EQUAL("", step.out().c_str());
  step.finish();
  STRCMP_EQUAL("a 3 18 50 71\n", step.out().c_str());
  LONGS_EQUAL(0, step.step->keys());
}

TEST(CountWindow, at_the_end_there_is_nothing_to_tell_of_a_window_that_has_just_fired) {
  windows = {4, 2, true};
  OwnWindowRig step = rig();
  send_values(step, {1, 2});
  step.out();
  step.finish();
  STRCMP_EQUAL("", step.out().c_str());
}

TEST(CountWindow, without_emit_partial_the_rest_is_not_told) {
  OwnWindowRig step = rig();
  send_values(step, {1, 2});
  step.finish();
  STRCMP_EQUAL("", step.out().c_str());
}

TEST(CountWindow, a_key_that_gives_way_tells_its_open_window) {
  windows = {4, 2, false};
  setup.max_keys = 1;
  setup.evict = Evict::Emit;
  OwnWindowRig step = rig();
  send_values(step, {1, 2, 3, 4, 5});
  step.out();
  step.send("b", 7);
  STRCMP_EQUAL("a 3 12 30 51\n", step.out().c_str());
}

TEST(CountWindow, a_window_of_one_record_fires_for_each) {
  windows = {1, 1, false};
  OwnWindowRig step = rig();
  send_values(step, {1, 2});
  STRCMP_EQUAL("a 1 1 10 11\na 1 2 20 21\n", step.out().c_str());
}

TEST(CountWindow, results_of_one_time_have_identities_of_their_own) {
  windows = {1, 1, false};
  OwnWindowRig step = rig();
  step.send("a", 5);
  step.send("a", 5);
  CHECK(step.sink.seen[0].identity != step.sink.seen[1].identity);
}

TEST(CountWindow, bytes_that_it_cannot_have_written_are_refused) {
  windows = {6, 4, false};
  Arena arena;
  auto function = make_count_windows(windows, {}, arena, "p.w");
  std::vector<uint8_t> state(function->state_bytes());
  CHECK_TRUE(function->valid(state.data()));
  // Slices of 2 records, 3 of them, 2 from one window to the next.
  for (const auto& [at, greatest] : {std::pair{0U, 1}, {4U, 2}, {8U, 3}, {12U, 1}}) {
    state[at] = static_cast<uint8_t>(greatest);
    CHECK_TRUE(function->valid(state.data()));
    state[at] = static_cast<uint8_t>(greatest + 1);
    CHECK_FALSE(function->valid(state.data()));
    state[at] = 0;
  }
}

TEST(CountWindow, random_input_gives_what_the_definition_says_across_restarts) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    windows.count = static_cast<uint32_t>(random.between(1, 12));
    windows.every = static_cast<uint32_t>(random.between(1, windows.count));
    windows.emit_partial = random.chance(50);
    OwnWindowRig step = rig();
    std::map<std::string, std::vector<std::pair<int64_t, int64_t>>> all;  // times and values
    auto line = [&](const std::string& key, size_t begin) {
      const auto& records = all[key];
      int64_t sum = 0, least = INT64_MAX, greatest = INT64_MIN;
      for (size_t index = begin; index < records.size(); ++index) {
        sum += records[index].second;
        least = std::min(least, records[index].first);
        greatest = std::max(greatest, records[index].first);
      }
      return key + " " + std::to_string(records.size() - begin) + " " + std::to_string(sum) + " " + std::to_string(least) +
             " " + std::to_string(greatest + 1) + "\n";
    };
    for (int64_t number = 0; number < 200; ++number) {
      const std::string key(1, static_cast<char>('a' + random.below(3)));
      const int64_t time = number * 10 + random.between(-30, 30);
      step.send(key, time, Value::of_int(number));
      all[key].emplace_back(time, number);
      const size_t count = all[key].size();
      std::string expected;
      if (count % windows.every == 0 && (count >= windows.count || windows.emit_partial))
        expected = line(key, count - std::min<size_t>(count, windows.count));
      const std::string where = "seed " + std::to_string(seed) + ", record " + std::to_string(number);
      STRCMP_EQUAL_TEXT(expected.c_str(), step.out().c_str(), where.c_str());
      if (random.chance(5)) {
        step.checkpoint();
        CHECK(step.restart().ok());
      }
    }
    step.finish();
    std::string rest;
    for (const auto& [key, records] : all) {
      const size_t since = records.size() % windows.every;
      const size_t kept = std::min(records.size(), windows.count - windows.every + since);
      if (windows.emit_partial && since > 0) rest += line(key, records.size() - kept);
    }
    STRCMP_EQUAL_TEXT(rest.c_str(), step.out().c_str(), ("seed " + std::to_string(seed)).c_str());
  }
}
