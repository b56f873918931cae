#include "agent/operators/session_window.h"

#include <algorithm>
#include <map>

#include "firmware-tests/unit/own_window_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

OwnWindowRig rig_of(SessionWindows windows, OwnWindowSetup setup = {}) {
  windows.evict = setup.evict;
  setup.panes = windows.allowed_lateness_ms > 0 || windows.emit_every_ms > 0;
  return OwnWindowRig(std::move(setup), [windows](OwnWindowParts parts, Arena& arena) {
    return make_session_windows(windows, "w", std::move(parts), arena, "p.w");
  });
}

}  // namespace

TEST_GROUP(SessionWindow) {
  SessionWindows windows{.gap_ms = 10};
  OwnWindowSetup setup;
  OwnWindowRig rig() { return rig_of(windows, setup); }
};

TEST(SessionWindow, records_exactly_a_gap_apart_are_one_session_and_one_more_splits) {
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.send("a", 10);
  step.send("a", 21);
  step.finish();
  STRCMP_EQUAL("a 2 2 0 20\na 1 1 21 31\n", step.out().c_str());
}

TEST(SessionWindow, fires_when_the_watermark_is_at_its_end_less_1_ms) {
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.advance(8);
  STRCMP_EQUAL("", step.out().c_str());
  step.advance(9);
  LONGS_EQUAL(1, step.sink.seen.size());
  CHECK(step.sink.seen[0] == (Seen{"a 1 1 0 10", 9, 1, true, step.sink.seen[0].identity}));
  LONGS_EQUAL(0, step.step->keys());
}

TEST(SessionWindow, a_record_between_two_sessions_makes_them_one) {
  setup.aggregate = {{"n", "count()"}, {"first", "first(v)"}, {"last", "last(v)"}};
  OwnWindowRig step = rig();
  step.send("a", 20, Value::of_int(3));
  step.send("a", 0, Value::of_int(1));
  step.send("a", 31, Value::of_int(4));
  step.send("a", 10, Value::of_int(2));
  step.finish();
  STRCMP_EQUAL("a 3 1 3 0 30\na 1 4 4 31 41\n", step.out().c_str());
}

TEST(SessionWindow, negative_times_and_the_ends_of_time_are_times_like_others) {
  OwnWindowRig step = rig();
  step.send("a", -5);
  step.send("a", -15);
  step.send("a", INT64_MIN + 1);
  step.send("a", INT64_MAX - 2);
  step.finish();
  STRCMP_EQUAL("a 1 1 -9223372036854775807 -9223372036854775797\na 2 2 -15 5\na 1 1 9223372036854775805 9223372036854775807\n",
               step.out().c_str());
}

TEST(SessionWindow, sessions_fire_by_end_and_then_by_key) {
  OwnWindowRig step = rig();
  step.send("b", 0);
  step.send("c", -1);
  step.send("a", 0);
  step.finish();
  STRCMP_EQUAL("c 1 1 -1 9\na 1 1 0 10\nb 1 1 0 10\n", step.out().c_str());
}

TEST(SessionWindow, waits_where_downstream_has_no_room) {
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.send("a", 50);
  step.send("b", 50);
  step.sink.room = 1;
  CHECK_FALSE(step.step->advance(INT64_MAX));
  STRCMP_EQUAL("a 1 1 0 10\n", step.out().c_str());
  step.sink.room = 3;
  CHECK_TRUE(step.step->advance(INT64_MAX));
  STRCMP_EQUAL("a 1 1 50 60\nb 1 1 50 60\n", step.out().c_str());
}

TEST(SessionWindow, null_is_no_value_but_a_record) {
  OwnWindowRig step = rig();
  step.send("a", 0, Value::null());
  step.finish();
  STRCMP_EQUAL("a 1 null 0 10\n", step.out().c_str());
}

// ---- late records

TEST(SessionWindow, is_late_exactly_when_the_window_it_would_have_has_fired) {
  OwnWindowRig step = rig();
  step.advance(9);
  CHECK(step.send("a", 0) == Outcome::Late);
  CHECK(step.send("a", 1) == Outcome::Applied);
  CHECK(step.send("b", 0) == Outcome::Late);
  LONGS_EQUAL(1, step.step->keys());
}

TEST(SessionWindow, is_not_late_where_it_reaches_a_session_that_is_open) {
  OwnWindowRig step = rig();
  step.send("a", 12);
  step.advance(15);
  CHECK(step.send("a", 2) == Outcome::Applied);
  CHECK(step.send("a", -9) == Outcome::Late);
  CHECK(step.send("a", -8) == Outcome::Applied);
  step.finish();
  STRCMP_EQUAL("a 3 3 -8 22\n", step.out().c_str());
}

TEST(SessionWindow, a_late_record_takes_no_room_from_another_key) {
  setup.max_keys = 1;
  setup.evict = Evict::Oldest;
  OwnWindowRig step = rig();
  step.send("a", 100);
  step.advance(99);
  CHECK(step.send("b", 0) == Outcome::Late);
  LONGS_EQUAL(0, step.step->evicted());
  step.finish();
  STRCMP_EQUAL("a 1 1 100 110\n", step.out().c_str());
}

TEST(SessionWindow, late_records_go_to_the_branch_as_they_came) {
  setup.late = Late::Side;
  OwnWindowRig step = rig();
  STRCMP_EQUAL("late", step.step->branches()[0].c_str());
  POINTERS_EQUAL(&step.input, &step.step->branch_schema(0));
  step.advance(100);
  CHECK(step.send("a", 0, Value::of_int(7)) == Outcome::Applied);
  STRCMP_EQUAL("a 7 null null\n", step.side.lines().c_str());
  CHECK_FALSE(step.side.seen[0].derived);
  step.finish();
  STRCMP_EQUAL("", step.out().c_str());
}

TEST(SessionWindow, late_records_may_be_set_aside) {
  setup.late = Late::DeadLetter;
  OwnWindowRig step = rig();
  LONGS_EQUAL(0, step.step->branches().size());
  step.advance(100);
  CHECK(step.send("a", 0) == Outcome::DeadLetter);
  STRCMP_EQUAL("late", step.refusals.last_reason.c_str());
  STRCMP_EQUAL("w", step.refusals.last_step.c_str());
}

// ---- allowed lateness

TEST(SessionWindow, a_late_record_makes_a_session_fire_again_until_the_allowed_lateness_is_over) {
  windows.allowed_lateness_ms = 5;
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.advance(13);
  STRCMP_EQUAL("a 1 1 0 10 0\n", step.out().c_str());
  CHECK(step.send("a", 0, Value::of_int(2)) == Outcome::Applied);
  STRCMP_EQUAL("a 2 3 0 10 1\n", step.out().c_str());
  LONGS_EQUAL(1, step.step->late_updates());
  step.advance(14);
  CHECK(step.send("a", 0) == Outcome::Late);
  LONGS_EQUAL(0, step.step->keys());
  step.finish();
  STRCMP_EQUAL("", step.out().c_str());
}

TEST(SessionWindow, a_session_that_has_fired_and_goes_on_fires_at_its_new_end) {
  windows.allowed_lateness_ms = 5;
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.advance(9);
  step.send("a", 8);
  STRCMP_EQUAL("a 1 1 0 10 0\n", step.out().c_str());
  step.advance(16);
  STRCMP_EQUAL("", step.out().c_str());
  step.advance(17);
  STRCMP_EQUAL("a 2 2 0 18 1\n", step.out().c_str());
  LONGS_EQUAL(1, step.step->late_updates());
}

TEST(SessionWindow, a_late_record_without_a_session_fires_at_once_and_counts_as_no_update) {
  windows.allowed_lateness_ms = 20;
  OwnWindowRig step = rig();
  step.advance(20);
  step.send("a", 0);
  STRCMP_EQUAL("a 1 1 0 10 0\n", step.out().c_str());
  LONGS_EQUAL(0, step.step->late_updates());
}

TEST(SessionWindow, a_late_record_may_join_two_sessions_that_have_fired) {
  windows.allowed_lateness_ms = 100;
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.send("a", 20);
  step.advance(50);
  step.send("a", 10);
  STRCMP_EQUAL("a 1 1 0 10 0\na 1 1 20 30 0\na 3 3 0 30 1\n", step.out().c_str());
  step.advance(128);
  LONGS_EQUAL(1, step.step->keys());
  step.advance(129);
  LONGS_EQUAL(0, step.step->keys());
}

// ---- early results

TEST(SessionWindow, hands_on_what_it_has_got_at_multiples_of_emit_every_if_there_is_something_new) {
  windows.emit_every_ms = 8;
  OwnWindowRig step = rig();
  step.send("a", 100);
  step.advance(106);
  STRCMP_EQUAL("", step.out().c_str());
  step.advance(107);
  STRCMP_EQUAL("a 1 1 100 110 -1\n", step.out().c_str());
  step.send("a", 109);
  step.send("a", 118);
  step.advance(116);
  STRCMP_EQUAL("a 3 3 100 128 -2\n", step.out().c_str());
  step.advance(124);
  STRCMP_EQUAL("", step.out().c_str());
  step.advance(127);
  STRCMP_EQUAL("a 3 3 100 128 0\n", step.out().c_str());
  LONGS_EQUAL(0, step.step->keys());
}

TEST(SessionWindow, leaves_an_early_result_out_when_the_end_has_come_as_well) {
  windows.emit_every_ms = 8;
  OwnWindowRig step = rig();
  step.send("a", 100);
  step.advance(109);
  STRCMP_EQUAL("a 1 1 100 110 0\n", step.out().c_str());
}

TEST(SessionWindow, counts_early_results_from_a_start_that_has_moved) {
  windows.emit_every_ms = 8;
  OwnWindowRig step = rig();
  step.send("a", 100);
  step.send("a", 95);
  step.advance(101);
  STRCMP_EQUAL("", step.out().c_str());
  step.advance(102);
  STRCMP_EQUAL("a 2 2 95 110 -1\n", step.out().c_str());
}

TEST(SessionWindow, of_processing_time_has_early_results_too_also_after_a_tick_that_comes_late) {
  windows.processing_time = true;
  windows.emit_every_ms = 4;
  OwnWindowRig step = rig();
  step.processing_ms = 100;
  step.send("a", 0);
  CHECK_TRUE(step.step->tick(103));
  STRCMP_EQUAL("", step.out().c_str());
  step.processing_ms = 105;
  step.send("a", 0);
  CHECK_TRUE(step.step->tick(106));
  STRCMP_EQUAL("a 2 2 100 115 -1\n", step.out().c_str());
  CHECK_TRUE(step.step->tick(115));
  STRCMP_EQUAL("a 2 2 100 115 0\n", step.out().c_str());
}

// ---- limits

TEST(SessionWindow, a_session_is_closed_after_its_longest_duration_exactly) {
  windows.max_duration_ms = 25;
  OwnWindowRig step = rig();
  for (int64_t time : {0, 8, 16, 24, 25, 33}) step.send("a", time);
  step.advance(23);
  STRCMP_EQUAL("", step.out().c_str());
  step.advance(24);
  STRCMP_EQUAL("a 4 4 0 25\n", step.out().c_str());
  step.finish();
  STRCMP_EQUAL("a 2 2 25 43\n", step.out().c_str());
}

TEST(SessionWindow, a_record_that_would_make_a_session_too_long_begins_another) {
  windows.max_duration_ms = 25;
  OwnWindowRig step = rig();
  for (int64_t time : {10, 20, 30, 6, 5}) step.send("a", time);
  step.finish();
  STRCMP_EQUAL("a 1 1 5 15\na 4 4 6 31\n", step.out().c_str());
}

TEST(SessionWindow, one_session_more_than_there_is_room_for_is_refused) {
  windows.max_sessions = 2;
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.send("a", 20);
  CHECK(step.send("a", 40) == Outcome::DeadLetter);
  STRCMP_EQUAL("capacity", step.refusals.last_reason.c_str());
  STRCMP_EQUAL("step w: all max_sessions = 2 sessions of this key are open", step.refusals.last_detail.c_str());
  CHECK(step.send("b", 40) == Outcome::Applied);
  step.finish();
  STRCMP_EQUAL("a 1 1 0 10\na 1 1 20 30\nb 1 1 40 50\n", step.out().c_str());
}

TEST(SessionWindow, the_earliest_session_gives_way_without_or_with_its_result) {
  windows.max_sessions = 2;
  setup.evict = Evict::Oldest;
  OwnWindowRig step = rig();
  for (int64_t time : {0, 20, 40}) CHECK(step.send("a", time) == Outcome::Applied);
  LONGS_EQUAL(1, step.step->evicted());
  step.finish();
  STRCMP_EQUAL("a 1 1 20 30\na 1 1 40 50\n", step.out().c_str());

  setup.evict = Evict::Emit;
  OwnWindowRig telling = rig();
  for (int64_t time : {0, 20, 40}) telling.send("a", time);
  STRCMP_EQUAL("a 1 1 0 10\n", telling.out().c_str());
  telling.send("a", -20);
  STRCMP_EQUAL("a 1 1 20 30\n", telling.out().c_str());
  telling.finish();
  STRCMP_EQUAL("a 1 1 -20 -10\na 1 1 40 50\n", telling.out().c_str());
  LONGS_EQUAL(2, telling.step->evicted());
}

TEST(SessionWindow, a_key_that_gives_way_tells_all_its_sessions) {
  setup.max_keys = 1;
  setup.evict = Evict::Emit;
  OwnWindowRig step = rig();
  step.send("a", 30);
  step.send("a", 0);
  LONGS_EQUAL(8, step.step->fan_out());
  step.send("b", 5);
  STRCMP_EQUAL("a 1 1 0 10\na 1 1 30 40\n", step.out().c_str());
}

TEST(SessionWindow, a_session_that_was_told_already_is_not_told_again_when_its_key_gives_way) {
  windows.allowed_lateness_ms = 100;
  setup.max_keys = 1;
  setup.evict = Evict::Emit;
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.send("a", 30);
  step.advance(9);
  step.out();
  step.send("b", 31);
  STRCMP_EQUAL("a 1 1 30 40 0\n", step.out().c_str());
}

// ---- processing time and clocks

TEST(SessionWindow, of_processing_time_ends_after_a_gap_and_a_late_tick_merges_nothing) {
  windows.processing_time = true;
  OwnWindowRig step = rig();
  CHECK_TRUE(step.step->wants_ticks());
  for (int64_t time : {0, 9, 19, 28}) {
    step.processing_ms = time;
    step.send("a", 5000);
  }
  STRCMP_EQUAL("", step.out().c_str());
  CHECK_TRUE(step.step->tick(37));
  STRCMP_EQUAL("a 2 2 0 19\n", step.out().c_str());
  CHECK_TRUE(step.step->tick(38));
  STRCMP_EQUAL("a 2 2 19 38\n", step.out().c_str());
  LONGS_EQUAL(0, step.step->keys());
}

TEST(SessionWindow, of_processing_time_goes_on_where_the_clock_was_before_a_restart) {
  windows.processing_time = true;
  OwnWindowRig step = rig();
  step.processing_ms = 100;
  step.send("a", 0);
  step.checkpoint();
  CHECK(step.restart().ok());
  step.processing_ms = 50;
  step.send("a", 0);
  CHECK_TRUE(step.step->tick(110));
  STRCMP_EQUAL("a 2 2 100 110\n", step.out().c_str());
}

TEST(SessionWindow, of_processing_time_fires_at_the_end_of_the_input) {
  windows.processing_time = true;
  OwnWindowRig step = rig();
  for (int64_t time : {0, 30}) {
    step.processing_ms = time;
    step.send("a", 5000);
  }
  step.advance(INT64_MAX - 2);
  STRCMP_EQUAL("", step.out().c_str());
  step.finish();
  STRCMP_EQUAL("a 1 1 0 10\na 1 1 30 40\n", step.out().c_str());
}

TEST(SessionWindow, follows_the_clock_of_its_device) {
  setup.clocks = 3;
  OwnWindowRig step = rig();
  step.clock = 1;
  step.send("a", 1000);
  step.clock = 2;
  step.send("b", 0);
  CHECK_TRUE(step.step->advance_clock(1, 999));
  CHECK(step.send("c", 1) == Outcome::Applied);
  CHECK_TRUE(step.step->advance_clock(2, 9));
  STRCMP_EQUAL("b 1 1 0 10\n", step.out().c_str());
  CHECK(step.send("d", 0) == Outcome::Late);
}

// ---- checkpoints

TEST(SessionWindow, a_restart_changes_nothing) {
  windows.allowed_lateness_ms = 50;
  OwnWindowRig step = rig();
  step.send("a", 0);
  step.send("a", 30);
  step.advance(20);
  step.send("a", 3);
  STRCMP_EQUAL("a 1 1 0 10 0\na 2 2 0 13 1\n", step.out().c_str());
  step.checkpoint();
  step.send("a", 60);
  CHECK(step.restart().ok());
  LONGS_EQUAL(1, step.step->late_updates());
  step.send("a", 4);
  STRCMP_EQUAL("a 3 3 0 14 2\n", step.out().c_str());
  step.finish();
  STRCMP_EQUAL("a 1 1 30 40 0\n", step.out().c_str());
}

TEST(SessionWindow, bytes_that_it_cannot_have_written_are_refused) {
  windows.max_sessions = 2;
  Arena arena;
  OwnWindowParts parts;
  auto function = make_session_windows(windows, "w", std::move(parts), arena, "p.w");
  std::vector<uint8_t> state(function->state_bytes());
  CHECK_TRUE(function->valid(state.data()));
  state[0] = 2;
  CHECK_TRUE(function->valid(state.data()));
  state[0] = 3;
  CHECK_FALSE(function->valid(state.data()));
  state[0] = 1;
  state[1 + 20] = 2;
  CHECK_FALSE(function->valid(state.data()));
  state[1 + 20] = 1;
  state[1] = 1;  // first behind last
  CHECK_FALSE(function->valid(state.data()));
  state[9] = 1;
  CHECK_TRUE(function->valid(state.data()));
  state[0] = 2;  // the second one before the first
  CHECK_FALSE(function->valid(state.data()));
}

// ---- against windows by definition

namespace {

/// Flink's merging windows, as a list of all records: no state, no arithmetic that is clever.
class SessionReference {
 public:
  SessionReference(int64_t gap, int64_t lateness, int64_t every) : gap_(gap), lateness_(lateness), every_(every) {}

  bool late = false;
  std::string out;
  uint64_t updates = 0;

  void add(const std::string& key, int64_t time, int64_t value) {
    Window merged{time, time + gap_, {{time, ++arrivals_, value}}};
    std::vector<Window>& windows = keys_[key];
    std::vector<Window> others = windows;
    auto early_of = [](const Window& window, int64_t start) { return window.start == start ? window.early : INT64_MAX; };
    for (bool again = true; again;) {
      again = false;
      for (size_t index = 0; index < others.size(); ++index) {
        if (others[index].start > merged.end || merged.start > others[index].end) continue;
        const int64_t start = std::min(merged.start, others[index].start);
        merged.early = std::min(early_of(merged, start), early_of(others[index], start));
        merged.start = start;
        merged.end = std::max(merged.end, others[index].end);
        merged.pane = std::max(merged.pane, others[index].pane);
        merged.records.insert(merged.records.end(), others[index].records.begin(), others[index].records.end());
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(index));
        again = true;
        break;
      }
    }
    late = merged.end - 1 + lateness_ <= watermark_;
    if (late) return;
    updates += merged.pane > 0 ? 1 : 0;
    merged.pending = true;
    if (every_ > 0) {
      int64_t early = merged.start + every_;
      while (early <= watermark_ + 1) early += every_;
      merged.early = std::min(merged.early, early);
    }
    if (merged.end - 1 <= watermark_) tell(key, merged);
    others.push_back(merged);
    windows = others;
  }

  void advance(int64_t watermark) {
    watermark_ = std::max(watermark_, watermark);
    std::vector<std::pair<int64_t, std::string>> due;
    for (auto& [key, windows] : keys_) {
      for (const Window& window : windows) {
        if (window.pending && window.end - 1 <= watermark_) due.emplace_back(window.end, key);
        if (is_early(window)) due.emplace_back(window.early, key);
      }
    }
    std::sort(due.begin(), due.end());
    for (const auto& [time, key] : due) {
      for (Window& window : keys_[key]) {
        if (window.pending && window.end == time) tell(key, window);
        if (is_early(window) && window.early == time) tell_early(key, window);
      }
    }
    for (auto& [key, windows] : keys_)
      std::erase_if(windows, [&](const Window& window) { return window.end - 1 + lateness_ <= watermark_; });
  }

 private:
  struct Each {
    int64_t time;
    uint64_t arrival;
    int64_t value;
  };
  struct Window {
    int64_t start, end;
    std::vector<Each> records;
    int64_t pane = 0;
    bool pending = false;
    int64_t early = INT64_MAX;
  };

  bool is_early(const Window& window) const {
    return window.pending && window.end - 1 > watermark_ && window.early - 1 <= watermark_;
  }
  void tell_early(const std::string& key, Window& window) {
    Window part = window;
    part.pane = -(window.early - window.start) / every_;
    tell(key, part);
    window.early = INT64_MAX;
  }
  void tell(const std::string& key, Window& window) {
    std::sort(window.records.begin(), window.records.end(),
              [](const Each& a, const Each& b) { return a.time != b.time ? a.time < b.time : a.arrival < b.arrival; });
    int64_t sum = 0;
    for (const Each& each : window.records) sum += each.value;
    out += key + " " + std::to_string(window.records.size()) + " " + std::to_string(sum) + " " +
           std::to_string(window.records.front().value) + " " + std::to_string(window.records.back().value) + " " +
           std::to_string(window.start) + " " + std::to_string(window.end) +
           (lateness_ > 0 || every_ > 0 ? " " + std::to_string(window.pane) : "") + "\n";
    window.pending = false;
    window.early = INT64_MAX;
    ++window.pane;
  }

  int64_t gap_;
  int64_t lateness_;
  int64_t every_;
  int64_t watermark_ = INT64_MIN;
  uint64_t arrivals_ = 0;
  std::map<std::string, std::vector<Window>> keys_;
};

/// Most event times within 1 ms of where one session ends or touches another.
int64_t edgy_time(Random& random, int64_t now, int64_t gap) {
  if (random.chance(30)) return now + random.between(-4 * gap, gap);
  return now + random.between(-4, 2) * gap + random.between(-1, 1);
}

}  // namespace

TEST(SessionWindow, random_input_gives_what_the_definition_says_across_restarts) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    windows.gap_ms = random.between(1, 12);
    windows.allowed_lateness_ms = random.chance(50) ? random.between(1, 40) : 0;
    windows.emit_every_ms = random.chance(50) ? random.between(1, 20) : 0;
    windows.max_sessions = 60;
    setup.aggregate = {{"n", "count()"}, {"sum", "sum(v)"}, {"first", "first(v)"}, {"last", "last(v)"}};
    const int64_t delay = random.between(0, 30);
    OwnWindowRig step = rig();
    SessionReference reference(windows.gap_ms, windows.allowed_lateness_ms, windows.emit_every_ms);
    int64_t greatest = random.between(-1000, 1000);
    for (int count = 0; count < 300; ++count) {
      const int64_t time = edgy_time(random, greatest, windows.gap_ms);
      const std::string key(1, static_cast<char>('a' + random.below(3)));
      const Outcome outcome = step.send(key, time, Value::of_int(count));
      reference.add(key, time, count);
      const std::string where = "seed " + std::to_string(seed) + ", record " + std::to_string(count);
      CHECK_TRUE_TEXT((outcome == Outcome::Late) == reference.late, where.c_str());
      greatest = std::max(greatest, time);
      step.advance(greatest - delay - 1);
      reference.advance(greatest - delay - 1);
      STRCMP_EQUAL_TEXT(reference.out.c_str(), step.out().c_str(), where.c_str());
      reference.out.clear();
      if (random.chance(5)) {
        step.checkpoint(random.chance(80));
      } else if (random.chance(5)) {
        step.checkpoint();
        CHECK(step.restart().ok());
      }
    }
    step.finish();
    reference.advance(INT64_MAX);
    STRCMP_EQUAL(reference.out.c_str(), step.out().c_str());
    LONGS_EQUAL(reference.updates, step.step->late_updates());
  }
}
