#include "agent/operators/state_window.h"

#include "firmware-tests/unit/own_window_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(StateWindow) {
  std::string open = "on";
  std::string close = "not on";
  bool include_close = true;
  int64_t max_duration = 0;
  int64_t emit_every = 0;
  OwnWindowSetup setup;

  OwnWindowRig rig() {
    setup.panes = emit_every > 0;
    return OwnWindowRig(setup, [this](OwnWindowParts parts, Arena& arena) {
      StateWindows windows;
      windows.open = compiled(open, own_window_input(), Type::Bool);
      windows.close = compiled(close, own_window_input(), Type::Bool);
      windows.open_text = open;
      windows.close_text = close;
      windows.include_close = include_close;
      windows.max_duration_ms = max_duration;
      windows.emit_every_ms = emit_every;
      return make_state_windows(std::move(windows), std::move(parts), arena, "p.w");
    });
  }
  static Outcome on(OwnWindowRig & step, int64_t time) { return step.send("a", time, Value::of_int(1), Value::of_bool(true)); }
  static Outcome off(OwnWindowRig & step, int64_t time) {
    return step.send("a", time, Value::of_int(100), Value::of_bool(false));
  }
};

TEST(StateWindow, lasts_from_the_record_that_opens_it_to_the_one_that_closes_it) {
  OwnWindowRig step = rig();
  CHECK(off(step, 5) == Outcome::Filtered);
  CHECK(on(step, 10) == Outcome::Applied);
  CHECK(on(step, 20) == Outcome::Applied);
  STRCMP_EQUAL("", step.out().c_str());
  CHECK(off(step, 30) == Outcome::Applied);
  CHECK(step.sink.seen.at(0) == (Seen{"a 3 102 10 31", 30, 4, true, step.sink.seen[0].identity}));
  CHECK(off(step, 40) == Outcome::Filtered);
}

TEST(StateWindow, the_closing_record_may_stay_outside) {
  include_close = false;
  OwnWindowRig step = rig();
  on(step, 10);
  on(step, 20);
  CHECK(off(step, 30) == Outcome::Applied);
  STRCMP_EQUAL("a 2 2 10 30\n", step.out().c_str());
  on(step, 40);
  off(step, 40);
  STRCMP_EQUAL("a 1 1 40 41\n", step.out().c_str());
}

TEST(StateWindow, a_closing_record_that_stays_outside_may_open_the_next_window) {
  include_close = false;
  close = "on";
  OwnWindowRig step = rig();
  on(step, 0);
  off(step, 5);
  on(step, 10);
  on(step, 20);
  STRCMP_EQUAL("a 2 101 0 10\na 1 1 10 20\n", step.out().c_str());
}

TEST(StateWindow, the_opening_record_does_not_close_it) {
  close = "on";
  OwnWindowRig step = rig();
  on(step, 0);
  STRCMP_EQUAL("", step.out().c_str());
  on(step, 10);
  STRCMP_EQUAL("a 2 2 0 11\n", step.out().c_str());
}

TEST(StateWindow, null_neither_opens_nor_closes) {
  OwnWindowRig step = rig();
  CHECK(step.send("a", 0) == Outcome::Filtered);
  LONGS_EQUAL(0, step.step->keys());
  on(step, 10);
  CHECK(step.send("a", 20) == Outcome::Applied);
  off(step, 30);
  STRCMP_EQUAL("a 3 102 10 31\n", step.out().c_str());
}

TEST(StateWindow, is_closed_after_its_longest_duration_by_the_watermark) {
  max_duration = 100;
  OwnWindowRig step = rig();
  on(step, 10);
  on(step, 60);
  step.advance(108);
  STRCMP_EQUAL("", step.out().c_str());
  step.advance(109);
  STRCMP_EQUAL("a 2 2 10 110\n", step.out().c_str());
  LONGS_EQUAL(0, step.step->keys());
  CHECK(on(step, 109) == Outcome::Late);
  CHECK(on(step, 110) == Outcome::Applied);
}

TEST(StateWindow, is_closed_after_its_longest_duration_by_a_record) {
  max_duration = 100;
  OwnWindowRig step = rig();
  on(step, 10);
  CHECK(on(step, 109) == Outcome::Applied);
  STRCMP_EQUAL("", step.out().c_str());
  CHECK(on(step, 110) == Outcome::Applied);
  STRCMP_EQUAL("a 2 2 10 110\n", step.out().c_str());
  CHECK(off(step, 210) == Outcome::Filtered);
  STRCMP_EQUAL("a 1 1 110 210\n", step.out().c_str());
}

TEST(StateWindow, without_a_longest_duration_it_stays_open_and_says_nothing_at_the_end) {
  OwnWindowRig step = rig();
  on(step, 10);
  step.advance(1000000);
  CHECK(off(step, 30) == Outcome::Applied);
  STRCMP_EQUAL("a 2 101 10 31\n", step.out().c_str());
  on(step, 2000000);
  step.finish();
  STRCMP_EQUAL("", step.out().c_str());
}

TEST(StateWindow, records_that_come_out_of_order_are_late) {
  setup.late = Late::Side;
  OwnWindowRig step = rig();
  on(step, 10);
  off(step, 9);
  STRCMP_EQUAL("a 100 null false\n", step.side.lines().c_str());
  CHECK(on(step, 10) == Outcome::Applied);
  off(step, 20);
  on(step, 19);
  STRCMP_EQUAL("a 3 102 10 21\n", step.out().c_str());
  LONGS_EQUAL(2, step.side.seen.size());
}

TEST(StateWindow, a_key_gives_its_room_back_when_no_older_record_can_come) {
  OwnWindowRig step = rig();
  on(step, 10);
  off(step, 20);
  step.advance(19);
  LONGS_EQUAL(1, step.step->keys());
  step.advance(20);
  LONGS_EQUAL(0, step.step->keys());
  CHECK(on(step, 20) == Outcome::Late);
  on(step, 21);
  step.advance(5000);
  LONGS_EQUAL(1, step.step->keys());
}

TEST(StateWindow, a_key_that_gives_way_tells_its_open_window_only) {
  setup.max_keys = 1;
  setup.evict = Evict::Emit;
  OwnWindowRig step = rig();
  on(step, 10);
  on(step, 15);
  step.send("b", 20, Value::of_int(5), Value::of_bool(true));
  STRCMP_EQUAL("a 2 2 10 16\n", step.out().c_str());
  step.send("b", 30, Value::of_int(5), Value::of_bool(false));
  step.out();
  on(step, 40);
  STRCMP_EQUAL("", step.out().c_str());
  LONGS_EQUAL(2, step.step->evicted());
}

TEST(StateWindow, a_record_that_opens_nothing_takes_no_room) {
  setup.max_keys = 1;
  setup.evict = Evict::Oldest;
  OwnWindowRig step = rig();
  on(step, 10);
  CHECK(step.send("b", 20, Value::of_int(1), Value::of_bool(false)) == Outcome::Filtered);
  LONGS_EQUAL(0, step.step->evicted());
}

TEST(StateWindow, a_restart_changes_nothing) {
  max_duration = 100;
  OwnWindowRig step = rig();
  on(step, 10);
  step.checkpoint();
  on(step, 20);
  CHECK(step.restart().ok());
  on(step, 30);
  step.advance(109);
  STRCMP_EQUAL("a 2 2 10 110\n", step.out().c_str());
}

TEST(StateWindow, bytes_that_it_cannot_have_written_are_refused) {
  StateWindows windows;
  Arena arena;
  auto function = make_state_windows(std::move(windows), {}, arena, "p.w");
  std::vector<uint8_t> state(function->state_bytes());
  CHECK_TRUE(function->valid(state.data()));
  state[0] = 1;
  CHECK_TRUE(function->valid(state.data()));
  state[0] = 2;
  CHECK_FALSE(function->valid(state.data()));
  state[0] = 1;
  state[1] = 1;  // starts behind its last record
  CHECK_FALSE(function->valid(state.data()));
}

TEST(StateWindow, hands_on_what_it_has_got_at_multiples_of_emit_every_if_there_is_something_new) {
  emit_every = 10;
  OwnWindowRig step = rig();
  on(step, 100);
  step.advance(108);
  STRCMP_EQUAL("", step.out().c_str());
  step.advance(109);
  STRCMP_EQUAL("a 1 1 100 101 -1\n", step.out().c_str());
  step.advance(119);
  STRCMP_EQUAL("", step.out().c_str());
  on(step, 121);
  step.advance(129);
  STRCMP_EQUAL("a 2 2 100 122 -3\n", step.out().c_str());
  on(step, 131);
  off(step, 132);
  STRCMP_EQUAL("a 4 103 100 133 0\n", step.out().c_str());
  step.finish();
  STRCMP_EQUAL("", step.out().c_str());
  LONGS_EQUAL(0, step.step->keys());
}

TEST(StateWindow, leaves_an_early_result_out_when_the_longest_duration_has_passed_as_well) {
  emit_every = 10;
  max_duration = 20;
  OwnWindowRig step = rig();
  on(step, 100);
  step.advance(109);
  STRCMP_EQUAL("a 1 1 100 101 -1\n", step.out().c_str());
  on(step, 111);
  step.advance(119);
  STRCMP_EQUAL("a 2 2 100 120 0\n", step.out().c_str());
  LONGS_EQUAL(0, step.step->keys());
}

TEST(StateWindow, random_input_gives_what_the_definition_says_across_restarts) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    include_close = random.chance(50);
    max_duration = random.chance(50) ? random.between(1, 60) : 0;
    emit_every = random.chance(50) ? random.between(1, 30) : 0;
    OwnWindowRig step = rig();
    struct {
      bool open = false;
      int64_t start = 0, last = 0, n = 0, sum = 0, early = INT64_MAX;
    } window;
    std::string expected;
    int64_t watermark = INT64_MIN;
    auto line = [&](int64_t end, int64_t pane) {
      expected += "a " + std::to_string(window.n) + " " + std::to_string(window.sum) + " " + std::to_string(window.start) +
                  " " + std::to_string(end) + (emit_every > 0 ? " " + std::to_string(pane) : "") + "\n";
    };
    auto tell = [&](int64_t end) {
      line(end, 0);
      window = {};
    };
    int64_t now = random.between(-100, 100);
    for (int64_t number = 0; number < 200; ++number) {
      // Most times lie around where the window has to close.
      const int64_t edge = window.start + max_duration;
      now = std::max(now, window.open && random.chance(60) ? edge + random.between(-1, 1) : now + random.between(0, 15));
      const int64_t is_on = random.chance(70) ? 1 : 0;
      step.send("a", now, Value::of_int(number), Value::of_bool(is_on != 0));
      auto add = [&] {
        if (!window.open) window = {true, now, now, 0, 0, INT64_MAX};
        window.last = now;
        window.n += 1;
        window.sum += number;
        for (int64_t at = window.start + emit_every; emit_every > 0 && window.early == INT64_MAX; at += emit_every)
          if (at > std::max(watermark + 1, window.start)) window.early = at;
      };
      if (window.open && max_duration > 0 && now >= edge) tell(edge);
      if (is_on != 0) {
        add();
      } else if (window.open) {
        if (include_close) add();
        tell(std::max(window.last + 1, now));
      }
      // In order and without delay the watermark says nothing that the records do not say, but for the longest duration.
      watermark = now - 1;
      step.advance(watermark);
      if (window.open && window.early - 1 <= watermark && (max_duration == 0 || window.early < window.start + max_duration)) {
        line(window.last + 1, -(window.early - window.start) / emit_every);
        window.early = INT64_MAX;
      }
      if (window.open && max_duration > 0 && window.start + max_duration - 1 <= watermark) tell(window.start + max_duration);
      STRCMP_EQUAL_TEXT(expected.c_str(), step.out().c_str(), ("seed " + std::to_string(seed)).c_str());
      expected.clear();
      if (random.chance(5)) {
        step.checkpoint();
        CHECK(step.restart().ok());
      }
    }
  }
}
