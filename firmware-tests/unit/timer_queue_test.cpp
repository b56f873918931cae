#include "agent/operators/timer_queue.h"

#include <map>
#include <random>

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(TimerQueue) {
  Arena arena{1 << 20};
  TimerQueue timers{64, arena, "timers"};

  static constexpr auto lower_first = [](uint32_t slot, uint32_t other) { return slot < other; };
  void set(uint32_t slot, int64_t time_ms) { timers.set(slot, time_ms, lower_first); }
};

TEST(TimerQueue, has_no_first_while_nothing_is_set) {
  UNSIGNED_LONGS_EQUAL(TimerQueue::none, timers.first());
  CHECK(timers.time_of(3) == TimerQueue::never);
}

TEST(TimerQueue, fires_by_time_and_then_as_the_owner_says) {
  set(5, 100);
  set(3, 100);
  set(9, 50);
  UNSIGNED_LONGS_EQUAL(9, timers.first());
  set(9, TimerQueue::never);
  UNSIGNED_LONGS_EQUAL(3, timers.first());
  set(3, 101);
  UNSIGNED_LONGS_EQUAL(5, timers.first());
}

TEST(TimerQueue, of_no_slots_can_be_cleared_but_takes_no_memory) {
  const size_t before = arena.used();
  TimerQueue none(0, arena, "none");
  UNSIGNED_LONGS_EQUAL(before, arena.used());
  none.set(0, TimerQueue::never, lower_first);
  CHECK(none.time_of(0) == TimerQueue::never);
}

TEST(TimerQueue, agrees_with_a_sorted_map_under_random_changes) {
  std::mt19937_64 random(20261122);
  std::map<uint32_t, int64_t> model;
  for (int step = 0; step < 20'000; ++step) {
    const auto slot = static_cast<uint32_t>(random() % 64);
    const int64_t time_ms = random() % 4 == 0 ? TimerQueue::never : static_cast<int64_t>(random() % 20) - 10;
    set(slot, time_ms);
    if (time_ms == TimerQueue::never)
      model.erase(slot);
    else
      model[slot] = time_ms;
    uint32_t expected = TimerQueue::none;
    for (const auto& [each, time] : model)
      if (expected == TimerQueue::none || time < model[expected]) expected = each;
    UNSIGNED_LONGS_EQUAL(expected, timers.first());
  }
}
