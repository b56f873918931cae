#include <algorithm>
#include <memory>
#include <random>
#include <set>

#include "agent/operators/tumbling.h"
#include "agent/operators/window_aggregate.h"
#include "firmware-tests/support/allocation_count.h"
#include "firmware-tests/support/operator_probe.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

TEST_GROUP(Tumbling){
    int64_t start(int64_t time, int64_t offset, int64_t size){return TumblingWindows{size, offset}.start_of(time);
}
}
;

TEST(Tumbling, windows_begin_where_flinks_do) {
  // (event time, offset, size) -> start: facts/flink.md 4.2.
  LONGS_EQUAL(-10, start(-1, 0, 10));
  LONGS_EQUAL(-10, start(-10, 0, 10));
  LONGS_EQUAL(-8, start(7, -8, 24));
  LONGS_EQUAL(15, start(15, 15, 10));
  LONGS_EQUAL(2, start(3, -8, 10));
  LONGS_EQUAL(-8, start(-3, -8, 10));
}

TEST(Tumbling, a_window_holds_its_start_and_not_its_end) {
  LONGS_EQUAL(0, start(0, 0, 10));
  LONGS_EQUAL(0, start(9, 0, 10));
  LONGS_EQUAL(10, start(10, 0, 10));
  LONGS_EQUAL(-20, start(-11, 0, 10));
}

TEST(Tumbling, every_time_is_in_its_window_and_windows_lie_end_to_end) {
  for (int64_t size : {1, 2, 7, 60})
    for (int64_t offset = -size + 1; offset < size; ++offset)
      for (int64_t time = -150; time < 150; ++time) {
        const TumblingWindows windows{size, offset};
        const int64_t begin = windows.start_of(time);
        CHECK(begin <= time && time <= windows.last_of(begin));
        CHECK((begin - offset) % size == 0);
      }
}

TEST(Tumbling, saturates_at_the_ends_of_time) {
  const TumblingWindows minutes{60000, 0};
  CHECK(minutes.start_of(INT64_MIN + 1) == INT64_MIN);
  CHECK(minutes.start_of(INT64_MAX) <= INT64_MAX - 1);
  CHECK(minutes.end_of(minutes.start_of(INT64_MAX)) == INT64_MAX);
  CHECK(minutes.start_of(minutes.start_of(INT64_MIN + 1)) == INT64_MIN);
}

// ---- the operator

namespace {

constexpr int64_t size_ms = 10;

struct Setup {
  int64_t size = size_ms;
  int64_t offset = 0;
  int64_t max_delay = 0;
  uint64_t max_keys = 100;
  Evict evict = Evict::Reject;
  std::vector<std::string> key_by = {"device"};
  std::vector<std::pair<std::string, std::string>> aggregate = {{"n", "count()"}, {"sum", "sum(v)"}};
};

Schema reading_schema() {
  return schema_of({{"device", Type::String, 12}, {"v", Type::Int, 0}, {"line", Type::Int, 0}, {"x", Type::Float, 0}});
}

WindowSpec spec_of(const Setup& setup, const Schema& input) {
  WindowSpec spec;
  spec.id = "per-minute";
  for (const std::string& name : setup.key_by) spec.key_fields.push_back(static_cast<uint32_t>(input.find(name)));
  spec.windows = {setup.size, setup.offset};
  spec.max_delay_ms = setup.max_delay;
  for (const auto& [name, text] : setup.aggregate) spec.aggregates.push_back(aggregation_of(name, text, input));
  spec.max_keys = setup.max_keys;
  spec.evict = setup.evict;
  return spec;
}

/// One window step with its end, its store and the process that it lives in.
struct Step {
  explicit Step(Setup wanted = {}) : setup(std::move(wanted)) { start_anew(); }

  void start_anew() {
    window = nullptr;
    arena = std::make_unique<Arena>(size_t{64} << 20);
    WindowSpec spec = spec_of(setup, input);
    WEIR_ASSERT(WindowAggregate::check(spec, input).empty());
    window = std::make_unique<WindowAggregate>(std::move(spec), input, *arena, "p.w");
    window->connect(&sink, &refusals);
    window->set_op(3);
  }
  Outcome send(std::string_view device, int64_t time, int64_t value = 1) {
    Value values[] = {Value::of_string(device), Value::of_int(value), Value::of_int(value % 3), Value::null()};
    return window->process({.values = values, .event_time_ms = time, .offset = ++offset});
  }
  Outcome send_values(std::vector<Value> values, int64_t time) {
    return window->process({.values = values, .event_time_ms = time, .offset = ++offset});
  }
  void barrier() {
    memory = std::make_unique<SnapshotMemory>(window->snapshot_bounds());
    memory->snapshot.begin(++id);
    window->snapshot(memory->snapshot);
  }
  void decide(bool committed) {
    if (committed) blobs.commit(memory->snapshot);
    window->snapshot_done(id, committed);
  }
  void checkpoint() {
    barrier();
    decide(true);
  }
  Status restart() {
    start_anew();
    return blobs.load_into(*window);
  }
  /// What came out since the last call.
  std::string out() {
    std::string lines = sink.lines();
    sink.seen.clear();
    sink.count = 0;
    return lines;
  }

  Setup setup;
  Schema input = reading_schema();
  std::unique_ptr<Arena> arena;
  ProbeSink sink;
  RefusalLog refusals;
  std::unique_ptr<WindowAggregate> window;
  MemoryBlobs blobs;
  std::unique_ptr<SnapshotMemory> memory;
  uint64_t id = 0;
  uint64_t offset = 0;
};

}  // namespace

TEST_GROUP(Window){};

TEST(Window, is_due_when_the_watermark_reaches_its_end_less_one) {
  Step step;
  CHECK(step.send("a", 5) == Outcome::Applied);
  CHECK(step.window->advance(8));
  STRCMP_EQUAL("", step.out().c_str());
  CHECK(step.window->advance(9));
  STRCMP_EQUAL("a 1 1 0 10\n", step.out().c_str());
  CHECK(step.window->advance(9));
  STRCMP_EQUAL("", step.out().c_str());
}

TEST(Window, a_record_is_late_when_its_window_was_due_and_not_before) {
  Step step;
  step.window->advance(8);
  CHECK(step.send("a", 0) == Outcome::Applied);
  step.window->advance(9);
  CHECK(step.send("a", 9) == Outcome::Late);
  CHECK(step.send("a", 10) == Outcome::Applied);
  STRCMP_EQUAL("a 1 1 0 10\n", step.out().c_str());
}

TEST(Window, takes_records_that_are_out_of_order_within_the_delay) {
  Step step({.max_delay = 15});
  for (int64_t time : {12, 3, 24, 8, 19, 11}) {
    CHECK(step.send("a", time, time) == Outcome::Applied);
    step.window->advance(24 - 15 - 1);
  }
  step.window->advance(100);
  STRCMP_EQUAL("a 2 11 0 10\na 3 42 10 20\na 1 24 20 30\n", step.out().c_str());
}

TEST(Window, works_before_1970) {
  Step step;
  step.send("a", -1);
  step.send("a", -10);
  step.send("a", -11);
  step.window->advance(-1);
  STRCMP_EQUAL("a 1 1 -20 -10\na 2 2 -10 0\n", step.out().c_str());
}

TEST(Window, has_an_offset) {
  Step step({.offset = 3});
  step.send("a", 2);
  step.send("a", 3);
  step.window->advance(12);
  STRCMP_EQUAL("a 1 1 -7 3\na 1 1 3 13\n", step.out().c_str());
}

TEST(Window, fires_by_end_then_by_key) {
  Step step;
  for (const char* device : {"d9", "d10", "b", "d1"}) {
    step.send(device, 15);
    step.send(device, 5);
  }
  step.window->advance(100);
  STRCMP_EQUAL(
      "b 1 1 0 10\nd1 1 1 0 10\nd10 1 1 0 10\nd9 1 1 0 10\n"
      "b 1 1 10 20\nd1 1 1 10 20\nd10 1 1 10 20\nd9 1 1 10 20\n",
      step.out().c_str());
}

TEST(Window, keys_of_several_fields_are_ordered_field_by_field_and_null_is_a_key_of_its_own) {
  Step step({.key_by = {"line", "device"}, .aggregate = {{"n", "count()"}}});
  auto send = [&](Value line, Value device) {
    CHECK(step.send_values({device, Value::of_int(0), line, Value::null()}, 5) == Outcome::Applied);
  };
  send(Value::of_int(10), Value::of_string("a"));
  send(Value::of_int(9), Value::of_string("b"));
  send(Value::of_int(9), Value::of_string("aa"));
  send(Value::of_int(-1), Value::null());
  send(Value::null(), Value::of_string("z"));
  send(Value::null(), Value::null());
  send(Value::null(), Value::null());
  send(Value::of_int(9), Value::of_string(""));
  step.window->advance(9);
  STRCMP_EQUAL("null null 2 0 10\nnull z 1 0 10\n-1 null 1 0 10\n9  1 0 10\n9 aa 1 0 10\n9 b 1 0 10\n10 a 1 0 10\n",
               step.out().c_str());
}

TEST(Window, a_float_key_does_not_tell_minus_zero_from_zero) {
  Step step({.key_by = {"x"}, .aggregate = {{"n", "count()"}}});
  for (double x : {-0.0, 0.0, -1.5})
    step.send_values({Value::of_string("a"), Value::of_int(0), Value::of_int(0), Value::of_float(x)}, 5);
  step.window->advance(9);
  STRCMP_EQUAL("-1.5 1 0 10\n0 2 0 10\n", step.out().c_str());
}

TEST(Window, without_a_key_all_records_are_one_group) {
  Step step({.max_keys = 1, .key_by = {}});
  step.send("a", 1);
  step.send("b", 2);
  step.window->advance(9);
  STRCMP_EQUAL("2 2 0 10\n", step.out().c_str());
  // And when it finds no room it says so without naming a key.
  for (int64_t time : {10, 20, 30}) step.send("a", time);
  CHECK(step.send("a", 40) == Outcome::DeadLetter);
}

TEST(Window, a_result_says_where_it_comes_from) {
  Step step;
  step.send("a", 5);
  step.send("b", 5);
  step.send("a", 6);
  step.send("a", 15);
  step.window->advance(19);
  UNSIGNED_LONGS_EQUAL(3, step.sink.seen.size());
  const Seen& first = step.sink.seen[0];
  LONGS_EQUAL(9, first.event_time_ms);
  UNSIGNED_LONGS_EQUAL(3, first.offset);
  CHECK(first.derived);
  std::set<uint64_t> identities;
  for (const Seen& one : step.sink.seen) identities.insert(one.identity);
  UNSIGNED_LONGS_EQUAL(3, identities.size());
}

TEST(Window, the_same_window_has_the_same_identity_in_every_run) {
  Step step;
  step.send("a", 5);
  step.window->advance(9);
  const uint64_t before = step.sink.seen[0].identity;
  step.start_anew();
  step.send("b", 5);
  step.send("a", 1);
  step.window->advance(9);
  CHECK(step.sink.seen[1].identity == before);
}

TEST(Window, its_schema_is_keys_then_aggregates_then_start_and_end) {
  Step step({.aggregate = {{"n", "count()"}, {"a", "avg(v)"}, {"who", "last(device)"}}});
  const Schema expected = schema_of({{"device", Type::String, 12},
                                     {"n", Type::Int, 0},
                                     {"a", Type::Float, 0},
                                     {"who", Type::String, 12},
                                     {"window_start", Type::Time, 0},
                                     {"window_end", Type::Time, 0}});
  CHECK(step.window->schema().fields() == expected.fields());
}

TEST(Window, two_windows_in_a_row_see_every_result_in_time) {
  Step first({.max_delay = 5});
  Setup hourly{.size = 30, .max_delay = 5, .aggregate = {{"n", "sum(n)"}}};
  Arena arena(size_t{1} << 20);
  WindowSpec spec;
  spec.id = "hourly";
  spec.key_fields = {0};
  spec.windows = {30, 0};
  spec.max_delay_ms = 5;
  spec.aggregates.push_back(aggregation_of("all", "sum(n)", first.window->schema()));
  spec.max_keys = 100;
  WindowAggregate second(std::move(spec), first.window->schema(), arena, "p.h");
  ProbeSink sink;
  first.window->connect(&second, &first.refusals);
  second.connect(&sink, &first.refusals);
  for (int64_t time = 0; time < 100; ++time) {
    CHECK(first.send("a", time) == Outcome::Applied);
    first.window->advance(time - 6);
    second.advance(time - 6);
  }
  STRCMP_EQUAL("a 30 0 30\na 30 30 60\na 30 60 90\n", sink.lines().c_str());
}

// ---- back-pressure and barriers

TEST(Window, stops_firing_when_there_is_no_room_and_goes_on_where_it_stopped) {
  Step step;
  for (const char* device : {"c", "a", "b"}) step.send(device, 5);
  step.send("a", 15);
  step.sink.room = 2;
  CHECK_FALSE(step.window->advance(30));
  UNSIGNED_LONGS_EQUAL(2, step.sink.count);
  CHECK_FALSE(step.window->advance(30));
  step.sink.room = 3;
  CHECK_FALSE(step.window->advance(30));
  step.sink.room = 4;
  CHECK(step.window->advance(30));
  STRCMP_EQUAL("a 1 1 0 10\nb 1 1 0 10\nc 1 1 0 10\na 1 1 10 20\n", step.out().c_str());
  UNSIGNED_LONGS_EQUAL(0, step.window->open_slices());
}

TEST(Window, what_was_due_at_a_barrier_but_had_not_fired_fires_after_the_restart) {
  for (size_t fired = 0; fired <= 4; ++fired) {
    Step step;
    for (const char* device : {"c", "a", "b"}) step.send(device, 5);
    step.send("a", 15);
    step.send("a", 35, 7);
    step.sink.room = fired;
    CHECK(step.window->advance(30) == (fired == 4));
    step.checkpoint();
    std::string lines = step.out();
    step.sink.room = 100;
    CHECK(step.restart().ok());
    CHECK(step.send("b", 5) == Outcome::Late);
    CHECK(step.window->advance(INT64_MIN));
    lines += step.out();
    STRCMP_EQUAL("a 1 1 0 10\nb 1 1 0 10\nc 1 1 0 10\na 1 1 10 20\n", lines.c_str());
    step.window->advance(39);
    STRCMP_EQUAL("a 1 7 30 40\n", step.out().c_str());
  }
}

TEST(Window, every_result_comes_once_whatever_the_room_and_wherever_it_is_restarted) {
  for (size_t room = 1; room < 7; ++room) {
    Step step({.max_delay = 25});
    std::string lines;
    for (int64_t time = 0; time < 200; ++time) {
      step.send("a", time);
      step.send(time % 2 == 0 ? "b" : "c", time);
      for (bool done = false; !done;) {
        step.sink.room = room;
        done = step.window->advance(time - 26);
        lines += step.out();
        if (done && time % 7 != 0) continue;
        step.checkpoint();
        CHECK(step.restart().ok());
      }
    }
    step.sink.room = 1000;
    step.window->advance(INT64_MAX);
    lines += step.out();
    std::string expected;
    for (int64_t start = 0; start < 200; start += 10) {
      const std::string times = std::to_string(start) + " " + std::to_string(start + 10) + "\n";
      expected += "a 10 10 " + times + "b 5 5 " + times + "c 5 5 " + times;
    }
    STRCMP_EQUAL(expected.c_str(), lines.c_str());
  }
}

TEST(Window, a_failed_checkpoint_loses_no_change) {
  Step step;
  step.send("a", 5);
  step.barrier();
  step.send("a", 6);
  step.decide(false);
  step.checkpoint();
  CHECK(step.restart().ok());
  step.window->advance(9);
  STRCMP_EQUAL("a 2 2 0 10\n", step.out().c_str());
}

TEST(Window, starts_empty_when_nothing_is_stored) {
  Step step;
  CHECK(step.restart().ok());
  CHECK(step.send("a", -1000) == Outcome::Applied);
}

// ---- capacity

TEST(Window, reject_refuses_the_key_that_is_one_too_many) {
  Step step({.max_keys = 2});
  CHECK(step.send("a", 5) == Outcome::Applied);
  CHECK(step.send("b", 5) == Outcome::Applied);
  UNSIGNED_LONGS_EQUAL(0, step.refusals.count);
  CHECK(step.send("c", 5) == Outcome::DeadLetter);
  UNSIGNED_LONGS_EQUAL(1, step.refusals.count);
  STRCMP_EQUAL("per-minute", step.refusals.last_step.c_str());
  STRCMP_EQUAL("capacity", step.refusals.last_reason.c_str());
  STRCMP_EQUAL("step per-minute: all max_keys = 2 keys have open windows; no room for device = \"c\"",
               step.refusals.last_detail.c_str());
  CHECK(step.send("a", 6) == Outcome::Applied);
  step.window->advance(9);
  STRCMP_EQUAL("a 2 2 0 10\nb 1 1 0 10\n", step.out().c_str());
  CHECK(step.send("c", 15) == Outcome::Applied);
  UNSIGNED_LONGS_EQUAL(0, step.window->evicted());
}

TEST(Window, oldest_gives_up_the_key_that_was_updated_longest_ago) {
  Step step({.max_delay = 10, .max_keys = 2, .evict = Evict::Oldest});
  step.send("a", 5);
  step.send("a", 15);
  step.send("b", 5);
  step.send("a", 6);
  UNSIGNED_LONGS_EQUAL(0, step.window->evicted());
  CHECK(step.send("c", 5) == Outcome::Applied);
  UNSIGNED_LONGS_EQUAL(1, step.window->evicted());
  CHECK(step.send("d", 5) == Outcome::Applied);  // a, with both its windows
  UNSIGNED_LONGS_EQUAL(2, step.window->evicted());
  step.window->advance(100);
  STRCMP_EQUAL("c 1 1 0 10\nd 1 1 0 10\n", step.out().c_str());
  UNSIGNED_LONGS_EQUAL(0, step.refusals.count);
}

TEST(Window, emit_hands_on_the_windows_that_are_given_up_earliest_first) {
  Step step({.max_delay = 20, .max_keys = 2, .evict = Evict::Emit});
  for (int64_t time : {25, 5, 15}) step.send("a", time);
  step.send("b", 5);
  STRCMP_EQUAL("", step.out().c_str());
  CHECK(step.send("c", 5) == Outcome::Applied);
  STRCMP_EQUAL("a 1 1 0 10\na 1 1 10 20\na 1 1 20 30\n", step.out().c_str());
  UNSIGNED_LONGS_EQUAL(1, step.window->evicted());
  step.window->advance(100);
  STRCMP_EQUAL("b 1 1 0 10\nc 1 1 0 10\n", step.out().c_str());
}

TEST(Window, emit_refuses_when_the_results_have_no_room) {
  Step step({.max_delay = 20, .max_keys = 1, .evict = Evict::Emit});
  for (int64_t time : {5, 15}) step.send("a", time);
  step.sink.room = 0;
  CHECK(step.send("b", 5) == Outcome::DeadLetter);
  STRCMP_EQUAL("capacity", step.refusals.last_reason.c_str());
  // Room for half of it: what went out is gone, the rest stays, the account is right.
  step.sink.room = 1;
  CHECK(step.send("b", 5) == Outcome::DeadLetter);
  UNSIGNED_LONGS_EQUAL(0, step.window->evicted());
  step.sink.room = 100;
  step.window->advance(100);
  STRCMP_EQUAL("a 1 1 0 10\na 1 1 10 20\n", step.out().c_str());
}

TEST(Window, a_window_that_opens_again_after_emit_has_another_identity) {
  Step step({.max_keys = 1, .evict = Evict::Emit});
  for (int turn = 0; turn < 3; ++turn) {
    step.send("a", 5);
    step.send("b", 5);
  }
  step.window->advance(9);
  UNSIGNED_LONGS_EQUAL(6, step.sink.seen.size());
  std::set<uint64_t> identities;
  for (const Seen& one : step.sink.seen) identities.insert(one.identity);
  UNSIGNED_LONGS_EQUAL(6, identities.size());
}

TEST(Window, the_order_in_which_keys_are_given_up_survives_a_restart) {
  Step step({.max_delay = 10, .max_keys = 4, .evict = Evict::Oldest});
  for (const char* device : {"a", "b", "c", "d", "b", "a"}) step.send(device, 5);
  step.send("c", 15);  // its newest update is in another window; d is the oldest now, then b
  step.checkpoint();
  CHECK(step.restart().ok());
  step.send("e", 5);
  step.send("f", 5);
  step.window->advance(100);
  STRCMP_EQUAL("a 2 2 0 10\nc 1 1 0 10\ne 1 1 0 10\nf 1 1 0 10\nc 1 1 10 20\n", step.out().c_str());
}

TEST(Window, the_order_goes_on_behind_the_restored_one) {
  Step step({.max_keys = 2, .evict = Evict::Oldest});
  step.send("a", 5);
  step.send("b", 5);
  step.checkpoint();
  CHECK(step.restart().ok());
  step.send("a", 6);
  step.checkpoint();
  CHECK(step.restart().ok());
  step.send("c", 5);
  step.window->advance(9);
  STRCMP_EQUAL("a 2 2 0 10\nc 1 1 0 10\n", step.out().c_str());
}

TEST(Window, a_clock_that_jumps_ahead_finds_room_when_every_key_has_all_its_windows_open) {
  Step step({.max_delay = 11, .max_keys = 2});
  for (int64_t time : {0, 10, 20}) {
    for (const char* device : {"a", "b"}) CHECK(step.send(device, time) == Outcome::Applied);
    step.window->advance(time - 12);
  }
  UNSIGNED_LONGS_EQUAL(6, step.window->open_slices());
  CHECK(step.send("a", 1000000) == Outcome::Applied);
  step.window->advance(1000000 - 12);
  UNSIGNED_LONGS_EQUAL(1, step.window->open_slices());
  UNSIGNED_LONGS_EQUAL(6, step.sink.count);
}

TEST(Window, more_windows_than_planned_end_in_the_capacity_policy_not_in_an_overrun) {
  // Nobody advances the watermark here: 2 keys x 2 windows + 1 slots.
  for (Evict evict : {Evict::Reject, Evict::Oldest, Evict::Emit}) {
    Step step({.max_keys = 2, .evict = evict});
    step.send("b", 0);
    for (int64_t window = 0; window < 4; ++window) CHECK(step.send("a", window * 10) == Outcome::Applied);
    CHECK(step.send("a", 40) == (evict == Evict::Reject ? Outcome::DeadLetter : Outcome::Applied));
    CHECK(step.send("a", 50) == Outcome::DeadLetter);  // a has all the room and does not give up itself
    UNSIGNED_LONGS_EQUAL(evict == Evict::Reject ? 0 : 1, step.window->evicted());
    step.window->advance(1000);
    UNSIGNED_LONGS_EQUAL(0, step.window->open_slices());
    UNSIGNED_LONGS_EQUAL(evict == Evict::Reject || evict == Evict::Oldest ? 5 : 6, step.sink.count);
  }
}

TEST(Window, a_key_that_needs_a_window_more_than_planned_gives_up_others_not_itself) {
  Step step({.max_keys = 2, .evict = Evict::Oldest});
  for (int64_t time : {0, 10, 20, 30}) step.send("a", time);
  step.send("b", 0);
  CHECK(step.send("a", 40) == Outcome::Applied);
  step.window->advance(1000);
  STRCMP_EQUAL("a 1 1 0 10\na 1 1 10 20\na 1 1 20 30\na 1 1 30 40\na 1 1 40 50\n", step.out().c_str());
}

TEST(Window, a_record_that_comes_while_results_wait_for_room_confuses_nothing) {
  Step step({.max_keys = 2, .evict = Evict::Oldest});
  step.send("a", 5);
  step.send("b", 5);
  step.sink.room = 0;
  CHECK_FALSE(step.window->advance(9));
  CHECK(step.send("c", 15) == Outcome::Applied);  // in the place of a
  step.sink.room = 10;
  CHECK(step.window->advance(19));
  STRCMP_EQUAL("b 1 1 0 10\nc 1 1 10 20\n", step.out().c_str());
}

TEST(Window, a_result_carries_the_newest_offset_whatever_the_order) {
  Step step;
  step.offset = 8;
  step.send("a", 5);  // 9
  step.offset = 3;
  step.send("a", 6);  // 4, as the results of an earlier window may come
  step.window->advance(9);
  UNSIGNED_LONGS_EQUAL(9, step.sink.seen[0].offset);
}

// ---- against a slow, obvious computation

namespace {

/// What the results must be: every record remembered, every window summed up at the end.
struct Reference {
  struct Sum {
    int64_t count = 0, sum = 0, smallest = INT64_MAX, greatest = INT64_MIN;
    std::pair<int64_t, int64_t> first{INT64_MAX, 0}, last{INT64_MIN, 0};
  };
  int64_t size, offset;
  int64_t watermark = INT64_MIN;
  int64_t greatest_time = INT64_MIN;
  std::map<std::pair<int64_t, std::string>, Sum> open{};  // by (end, key): the order of firing
  std::string lines{};

  static int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b != 0 && a < 0 ? 1 : 0); }

  bool send(const std::string& key, int64_t time, int64_t value) {
    const int64_t end = offset + (floor_divide(time - offset, size) + 1) * size;
    const bool late = end - 1 <= watermark;
    if (!late) {
      Sum& sum = open[{end, key}];
      ++sum.count;
      sum.sum += value;
      sum.smallest = std::min(sum.smallest, value);
      sum.greatest = std::max(sum.greatest, value);
      if (time < sum.first.first) sum.first = {time, value};
      if (time >= sum.last.first) sum.last = {time, value};
    }
    return !late;
  }
  void advance(int64_t to) {
    watermark = std::max(watermark, to);
    while (!open.empty() && open.begin()->first.first - 1 <= watermark) {
      const auto& [at, sum] = *open.begin();
      lines += at.second;
      for (int64_t number :
           {sum.count, sum.sum, sum.smallest, sum.greatest, sum.first.second, sum.last.second, at.first - size, at.first})
        lines += " " + std::to_string(number);
      lines += "\n";
      open.erase(open.begin());
    }
  }
};

void differ(unsigned seed) {
  printf("seed=%u ", seed);
  std::mt19937 random(seed);
  auto below = [&](int64_t limit) { return static_cast<int64_t>(random() % static_cast<uint64_t>(limit)); };
  const int64_t size = 1 + below(50);
  const int64_t offset = below(2 * size - 1) - size + 1;
  const int64_t max_delay = below(3) == 0 ? 0 : below(120);
  const int64_t keys = 1 + below(20);
  Step step({.size = size,
             .offset = offset,
             .max_delay = max_delay,
             .max_keys = static_cast<uint64_t>(keys),
             .aggregate = {
                 {"n", "count()"}, {"s", "sum(v)"}, {"lo", "min(v)"}, {"hi", "max(v)"}, {"f", "first(v)"}, {"l", "last(v)"}}});
  Reference reference{size, offset};
  std::string lines;
  int64_t now = below(2000) - 1000;
  for (int count = 0; count < 4000; ++count) {
    now += below(5);
    if (below(500) == 0) now += below(1000);                  // a silence
    const int64_t time = below(300) == 0 ? now + below(5000)  // a clock that is ahead
                                         : now - below(max_delay + 30);
    const std::string key = "d" + std::to_string(below(keys));
    const int64_t value = below(1000) - 500;
    const Outcome outcome = step.send(key, time, value);
    if ((outcome == Outcome::Applied) != reference.send(key, time, value)) FAIL("late in one and not in the other");
    CHECK(outcome != Outcome::DeadLetter);
    reference.greatest_time = std::max(reference.greatest_time, time);
    const int64_t watermark = reference.greatest_time - max_delay - 1;
    reference.advance(watermark);
    while (true) {
      step.sink.room = static_cast<size_t>(1 + below(4));
      const bool done = step.window->advance(watermark);
      lines += step.out();
      if (below(200) == 0) {
        step.checkpoint();
        CHECK(step.restart().ok());
        continue;
      }
      if (done) break;
    }
    if (below(100) == 0) {
      step.barrier();
      step.decide(below(2) == 0);
    }
  }
  step.sink.room = SIZE_MAX;
  reference.advance(INT64_MAX);
  step.window->advance(INT64_MAX);
  lines += step.out();
  STRCMP_EQUAL(reference.lines.c_str(), lines.c_str());
  UNSIGNED_LONGS_EQUAL(0, step.window->open_slices());
}

}  // namespace

TEST(Window, agrees_with_a_slow_obvious_computation) {
  for (unsigned seed = 1; seed <= 40; ++seed) differ(seed);
}

// ---- configuration

TEST_GROUP(WindowCheck) {
  Schema input = reading_schema();

  std::string faults(const Setup& setup) {
    std::string text;
    for (const WindowFault& fault : WindowAggregate::check(spec_of(setup, input), input))
      text += std::to_string(static_cast<int>(fault.part)) + "[" + std::to_string(fault.index) + "] " + fault.message + "\n";
    return text;
  }
};

TEST(WindowCheck, finds_nothing_wrong_with_what_is_right) { STRCMP_EQUAL("", faults({}).c_str()); }

TEST(WindowCheck, names_must_not_collide) {
  STRCMP_EQUAL(
      "4[0] \"window_start\" is a field that every window adds; choose another name\n"
      "4[1] \"window_end\" is a field that every window adds; choose another name\n",
      faults({.aggregate = {{"window_start", "count()"}, {"window_end", "count()"}}}).c_str());
  STRCMP_EQUAL("4[1] \"device\" is there twice; a result's fields need different names\n",
               faults({.aggregate = {{"n", "count()"}, {"device", "count()"}}}).c_str());
  STRCMP_EQUAL("4[1] \"n\" is there twice; a result's fields need different names\n",
               faults({.aggregate = {{"n", "count()"}, {"n", "count()"}}}).c_str());
  STRCMP_EQUAL("3[1] \"device\" is there twice; a result's fields need different names\n",
               faults({.key_by = {"device", "device"}}).c_str());
  input.add({"window_end", Type::Time, 0});
  STRCMP_EQUAL("3[0] \"window_end\" is a field that every window adds; choose another name\n",
               faults({.key_by = {"window_end"}}).c_str());
}

TEST(WindowCheck, a_window_has_a_length_and_any_offset) {
  STRCMP_EQUAL("0[0] a window is at least 1 ms long\n", faults({.size = 0}).c_str());
  STRCMP_EQUAL("", faults({.size = 1}).c_str());
  for (int64_t offset : {-25, -10, -9, 9, 10}) STRCMP_EQUAL("", faults({.offset = offset}).c_str());
}

TEST(WindowCheck, max_keys_is_at_least_one_and_its_windows_fit) {
  STRCMP_EQUAL("2[0] max_keys must be at least 1\n", faults({.max_keys = 0}).c_str());
  STRCMP_EQUAL("", faults({.max_keys = 1}).c_str());
  for (uint64_t max_keys : {uint64_t{1} << 30, UINT64_MAX}) CHECK(faults({.max_keys = max_keys}).starts_with("2[0] "));
  CHECK(faults({.max_delay = int64_t{1} << 50}).starts_with("2[0] 100 keys x "));
}

TEST(WindowCheck, the_state_of_a_window_fits_a_slot) {
  input = schema_of({{"device", Type::String, 32700}, {"v", Type::Int, 0}});
  STRCMP_EQUAL("", faults({}).c_str());  // 24 + 8 + 17 + 3 + 32700
  input = schema_of({{"device", Type::String, 32711}, {"v", Type::Int, 0}});
  CHECK(faults({}).starts_with("3[0] the state of one window takes 32763 bytes, more than 32762"));
}

TEST(WindowCheck, a_result_has_as_many_fields_as_a_record_may_have) {
  Setup setup;
  setup.aggregate.clear();
  for (int index = 0; index < 61; ++index) setup.aggregate.push_back({"n" + std::to_string(index), "count()"});
  STRCMP_EQUAL("", faults(setup).c_str());
  setup.aggregate.push_back({"straw", "count()"});
  STRCMP_EQUAL("4[61] a result has at most 64 fields, window_start and window_end among them\n", faults(setup).c_str());
}

TEST(WindowCheck, evict_has_three_names) {
  Evict evict = Evict::Reject;
  CHECK(parse_evict("oldest", evict) && evict == Evict::Oldest);
  CHECK(parse_evict("emit", evict) && evict == Evict::Emit);
  CHECK(parse_evict("reject", evict) && evict == Evict::Reject);
  CHECK_FALSE(parse_evict("newest", evict));
}

// ---- the layout and what comes back from a disk

TEST_GROUP(WindowStorage) {
  Step step;

  std::string layout(Setup setup) { return std::string(Step(std::move(setup)).window->layout()); }
  void corrupt(const char* text) {
    Status status = step.restart();
    CHECK(status.code() == Code::Corrupt);
    STRCMP_EQUAL(text, status.text());
  }
  /// The bytes of the one entry that is stored.
  uint8_t* entry() {
    auto& bytes = step.blobs.deltas.empty() ? step.blobs.base.begin()->second.second : step.blobs.deltas.begin()->second;
    return bytes.data() + KeyedState::entry_header_bytes;
  }
};

TEST(WindowStorage, the_layout_says_what_the_bytes_are) {
  STRCMP_EQUAL(
      "window tumbling\nshape size_ms 10\nshape offset_ms 0\nshape time event\nkey device string(12)\nown time watermark\n"
      "own u32 slots\nu64 step.sequence\ntime slice.start\nu64 slice.offset\naggregate(8) n \"count null\" count()\n"
      "aggregate(17) sum \"sum int\" sum(v)\n",
      layout({}).c_str());
}

TEST(WindowStorage, the_layout_changes_with_everything_that_changes_the_meaning) {
  std::set<std::string> layouts = {layout({}),
                                   layout({.size = 20}),
                                   layout({.offset = 1}),
                                   layout({.offset = 9}),
                                   layout({.key_by = {"line"}}),
                                   layout({.key_by = {"device", "line"}}),
                                   layout({.key_by = {"line", "device"}}),
                                   layout({.key_by = {}}),
                                   layout({.aggregate = {{"sum", "sum(v)"}, {"n", "count()"}}}),
                                   layout({.aggregate = {{"n", "count()"}, {"sum", "sum(v+1)"}}}),
                                   layout({.aggregate = {{"n", "count()"}, {"sum", "sum(x)"}}}),
                                   layout({.aggregate = {{"n", "count()"}, {"total", "sum(v)"}}})};
  UNSIGNED_LONGS_EQUAL(12, layouts.size());
  STRCMP_EQUAL(layout({.offset = 9}).c_str(), layout({.offset = -1}).c_str());
}

TEST(WindowStorage, the_layout_stays_when_only_limits_or_blanks_change) {
  STRCMP_EQUAL(layout({}).c_str(), layout({.max_delay = 50, .max_keys = 7, .evict = Evict::Oldest}).c_str());
  STRCMP_EQUAL(layout({}).c_str(), layout({.aggregate = {{"n", "count( )"}, {"sum", " sum (v)"}}}).c_str());
}

TEST(WindowStorage, comes_back_with_more_room_than_it_had) {
  step.send("a", 5);
  step.checkpoint();
  step.setup.max_keys = 5000;
  step.setup.max_delay = 100;
  CHECK(step.restart().ok());
  step.window->advance(9);
  STRCMP_EQUAL("a 1 1 0 10\n", step.out().c_str());
}

TEST(WindowStorage, comes_back_with_less_room_if_it_suffices) {
  step.send("a", 5);
  step.checkpoint();
  step.setup.max_keys = 1;
  CHECK(step.restart().ok());
  step.checkpoint();
  CHECK(step.restart().ok());
  step.window->advance(9);
  STRCMP_EQUAL("a 1 1 0 10\n", step.out().c_str());
}

TEST(WindowStorage, refuses_more_keys_than_max_keys) {
  step.setup.max_keys = 3;
  step.start_anew();
  for (const char* device : {"a", "b", "c"}) step.send(device, 5);
  step.checkpoint();
  step.setup.max_keys = 2;
  step.setup.max_delay = 100;  // as many windows as before, fewer keys
  Status status = step.restart();
  CHECK(status.code() == Code::Incompatible);
  STRCMP_EQUAL("more keys are stored than max_keys allows", status.text());
}

TEST(WindowStorage, refuses_an_own_blob_that_is_cut_or_too_long_or_missing) {
  step.send("a", 5);
  step.checkpoint();
  const std::vector<uint8_t> whole = step.blobs.own.second;
  UNSIGNED_LONGS_EQUAL(12, whole.size());
  for (size_t size : {0U, 11U, 13U}) {
    step.blobs.own.second = whole;
    step.blobs.own.second.resize(size);
    corrupt("window: the operator's own blob is malformed");
  }
  step.blobs.own.first = 0;
  corrupt("window: the operator's own blob is missing");
}

TEST(WindowStorage, refuses_a_malformed_key) {
  step.send("a", 5);
  step.checkpoint();
  const size_t key_at = 24 + 8 + 17;
  entry()[key_at] = 2;
  corrupt("window: a stored key is malformed");
  entry()[key_at] = 0;
  corrupt("window: a stored key is malformed");  // bytes behind a null
  entry()[key_at] = 1;
  entry()[key_at + 1] = 2;
  corrupt("window: a stored key is malformed");
  entry()[key_at + 1] = 1;
  CHECK(step.restart().ok());
}

TEST(WindowStorage, refuses_an_entry_without_room_for_its_parts) {
  step.send("a", 5);
  step.checkpoint();
  const std::vector<uint8_t> bytes = {0, 0, 0, 0, 3, 0, 1, 2, 3};
  (step.blobs.deltas.empty() ? step.blobs.base.begin()->second.second : step.blobs.deltas.begin()->second) = bytes;
  corrupt("window: a stored key is malformed");
}

TEST(WindowStorage, refuses_a_start_at_which_no_window_begins) {
  step.send("a", 5);
  step.checkpoint();
  entry()[8] = 1;
  corrupt("window: a stored window starts where none begins");
}

TEST(WindowStorage, refuses_a_malformed_accumulator) {
  step.send("a", 5);
  step.checkpoint();
  entry()[24 + 8 + 16] = 9;
  corrupt("window: a stored accumulator is malformed");
}

TEST(WindowStorage, refuses_the_same_window_twice) {
  step.send("a", 5);
  step.send("b", 5);
  step.checkpoint();
  const size_t entry_bytes = 6 + 24 + 8 + 17 + 4;
  entry()[2 * entry_bytes - 7] = 'a';
  corrupt("window: a key has the same window twice");
}

// ---- memory

TEST_GROUP(WindowMemory){};

TEST(WindowMemory, pools_are_named_and_say_why) {
  Step step({.max_delay = 25});
  std::map<std::string, std::string> pools;
  for (const Pool& pool : step.arena->pools()) pools[pool.name] = pool.reason;
  STRCMP_EQUAL("100 keys x 4 open windows + 1, x 64 bytes", pools["p.w.slots"].c_str());
  STRCMP_EQUAL("100 keys x 32 bytes", pools["p.w.keys"].c_str());
  STRCMP_EQUAL("401 slices x 24 bytes", pools["p.w.slices"].c_str());
  for (const char* name : {"p.w.slot-index", "p.w.key-table", "p.w.windows", "p.w.timers", "p.w.row", "p.w.restored"})
    CHECK(pools.contains(name));
}

TEST(WindowMemory, nothing_is_allocated_once_it_runs) {
  Step step({.max_delay = 20,
             .max_keys = 20,
             .evict = Evict::Emit,
             .key_by = {"device", "line"},
             .aggregate = {{"n", "count()"}, {"a", "avg(v)"}, {"who", "last(device)"}, {"lo", "min(v * 2)"}}});
  step.arena->freeze();
  step.sink.keep = false;
  SnapshotMemory memory(step.window->snapshot_bounds());
  std::vector<std::string> devices;
  for (int index = 0; index < 30; ++index) devices.push_back("device-" + std::to_string(index));
  // Messages that are refused go through the test's own log, which allocates: there are none here.
  size_t allocations = 0;
  {
    AllocationCount counted;
    for (int64_t time = 0; time < 20000; ++time) {
      step.send(devices[static_cast<size_t>(time * 7 % 30)], time / 7, time);
      if (time % 3 == 0) step.window->advance(time / 7 - 21);
      if (time % 1000 == 0) {
        memory.snapshot.begin(++step.id);
        step.window->snapshot(memory.snapshot);
        step.window->snapshot_done(step.id, time % 2000 == 0);
      }
    }
    allocations = counted.count();
  }
  UNSIGNED_LONGS_EQUAL(0, allocations);
  UNSIGNED_LONGS_EQUAL(0, step.refusals.count);
  CHECK(step.sink.count > 1000);
  CHECK(step.window->evicted() > 0);
}

TEST(WindowMemory, the_allocation_count_counts) {
  size_t allocations = 0;
  {
    AllocationCount counted;
    std::vector<int64_t> numbers;
    numbers.push_back(static_cast<int64_t>(counted.count()));
    numbers.push_back(static_cast<int64_t>(counted.count()));
    allocations = static_cast<size_t>(numbers.back());
  }
  UNSIGNED_LONGS_EQUAL(1, allocations);
}
