// What every keyed step gets from the KeyedOperator: keys, timers, eviction, lateness, checkpoints. The function under it
// counts the records of a key, sets timers as its records say and tells what happens.
#include "agent/operators/keyed_operator.h"

#include <memory>

#include "agent/operators/value_cell.h"
#include "firmware-tests/support/operator_probe.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr uint32_t count_at = 0;

/// Emits "key count what" for every record, timer and eviction. A record's second value is the timer to set, null for none; -1
/// of it forgets the key.
class Teller final : public KeyedFunction {
 public:
  Teller() {
    schema_.add({"device", Type::String, 8});
    schema_.add({"count", Type::Int, 0});
    schema_.add({"what", Type::String, 16});
  }
  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return 8; }
  void describe(StateLayout& layout) const override {
    layout.kind = "teller";
    layout.fields.add_i64("count");
  }
  bool valid(const uint8_t* state) const override { return load<int64_t>(state + count_at) >= 0; }
  bool uses_event_timers() const override { return true; }
  bool uses_processing_timers() const override { return true; }
  bool needs_order() const override { return ordered; }

  Outcome process(const Record& record, KeyContext& context) override {
    uint8_t* state = context.state().data();
    CHECK(context.is_new() == (load<int64_t>(state) == 0));
    store(state, load<int64_t>(state) + 1);
    tell(context, "record", record.event_time_ms);
    if (record.values[1].is_null()) return Outcome::Applied;
    if (record.values[1].as_int() == -1)
      context.forget();
    else if (by_processing_time)
      context.set_processing_timer(record.values[1].as_int());
    else
      context.set_event_timer(record.values[1].as_int());
    return Outcome::Applied;
  }
  void on_event_timer(int64_t time_ms, KeyContext& context) override { tell(context, "event", time_ms); }
  void on_processing_timer(int64_t time_ms, KeyContext& context) override { tell(context, "processing", time_ms); }
  void on_evicted(KeyContext& context) override { tell(context, "evicted", 0); }

  bool ordered = true;
  bool by_processing_time = false;

 private:
  void tell(KeyContext& context, std::string_view what, int64_t time_ms) {
    Value row[] = {context.key()[0], Value::of_int(load<int64_t>(context.peek())), Value::of_string(what)};
    context.emit(row, time_ms);
  }
  Schema schema_;
};

}  // namespace

TEST_GROUP(KeyedOperator) {
  Schema input = schema_of({{"device", Type::String, 8}, {"timer", Type::Int, 0}});
  Arena arena{1 << 22};
  ProbeSink sink;
  RefusalLog refusals;
  KeyedSpec spec{"teller", {0}, 2, Evict::Reject, 1};
  Teller* teller = nullptr;
  std::unique_ptr<KeyedOperator> step;
  uint64_t offset = 0;
  uint64_t checkpoint_id = 0;
  MemoryBlobs blobs;

  void make() {
    auto function = std::make_unique<Teller>();
    teller = function.get();
    step = std::make_unique<KeyedOperator>(spec, std::move(function), input, arena, "test.teller");
    step->connect(&sink, &refusals);
  }
  Outcome give(const char* device, int64_t time_ms, Value timer = Value::null(), uint32_t clock = 0) {
    Value values[] = {Value::of_string(device), timer};
    Record record{values, time_ms, ++offset, false, offset, time_ms, clock};
    return step->process(record);
  }
  static Value at(int64_t time_ms) { return Value::of_int(time_ms); }
  std::string told() {
    std::string lines = sink.lines();
    sink.seen.clear();
    return lines;
  }
  void checkpoint(bool committed = true) { checkpoint_of(*step, ++checkpoint_id, blobs, committed); }
  Status restart() {
    make();
    return blobs.load_into(*step);
  }
};

TEST(KeyedOperator, keeps_state_per_key) {
  make();
  give("a", 0);
  give("b", 0);
  give("a", 0);
  STRCMP_EQUAL("a 1 record\nb 1 record\na 2 record\n", told().c_str());
  UNSIGNED_LONGS_EQUAL(2, step->keys());
}

TEST(KeyedOperator, results_are_derived_and_have_the_newest_offset_and_an_identity_of_their_own) {
  make();
  give("a", 5);
  give("b", 5);
  give("a", 6);
  CHECK(sink.seen[0].derived && sink.seen[0].offset == 1 && sink.seen[2].offset == 3);
  LONGS_EQUAL(6, sink.seen[2].event_time_ms);
  CHECK(sink.seen[0].identity != sink.seen[1].identity);
  CHECK(sink.seen[0].identity != sink.seen[2].identity);
}

TEST(KeyedOperator, a_record_older_than_its_key_s_newest_is_late) {
  make();
  CHECK(give("a", 10) == Outcome::Applied);
  CHECK(give("a", 10) == Outcome::Applied);
  CHECK(give("a", 9) == Outcome::Late);
  CHECK(give("b", 9) == Outcome::Applied);
  teller->ordered = false;
  CHECK(give("a", 9) == Outcome::Applied);
}

TEST(KeyedOperator, event_timers_fire_once_at_their_time_in_the_order_of_time_and_key) {
  spec.max_keys = 4;
  make();
  give("c", 0, at(100));
  give("b", 0, at(100));
  give("a", 0, at(101));
  give("d", 0, at(50));
  give("d", 0, at(99));
  told();
  CHECK(step->advance(98));
  STRCMP_EQUAL("", told().c_str());
  CHECK(step->advance(100));
  STRCMP_EQUAL("d 2 event\nb 1 event\nc 1 event\n", told().c_str());
  CHECK(step->advance(500));
  STRCMP_EQUAL("a 1 event\n", told().c_str());
  CHECK(step->advance(1000));
  STRCMP_EQUAL("", told().c_str());
}

TEST(KeyedOperator, timers_wait_for_room_downstream) {
  make();
  give("a", 0, at(1));
  give("b", 0, at(1));
  told();
  sink.room = sink.count + 1;
  CHECK_FALSE(step->advance(10));
  STRCMP_EQUAL("a 1 event\n", told().c_str());
  sink.room = sink.count + 5;
  CHECK(step->advance(10));
  STRCMP_EQUAL("b 1 event\n", told().c_str());
}

TEST(KeyedOperator, processing_timers_follow_ticks_that_never_go_back) {
  make();
  teller->by_processing_time = true;
  CHECK(step->wants_ticks());
  give("a", 0, at(1000));
  told();
  CHECK(step->tick(999));
  STRCMP_EQUAL("", told().c_str());
  CHECK(step->tick(1000));
  STRCMP_EQUAL("a 1 processing\n", told().c_str());
  give("a", 0, at(1000));
  told();
  CHECK(step->tick(5));
  STRCMP_EQUAL("a 2 processing\n", told().c_str());
}

TEST(KeyedOperator, a_forgotten_key_starts_anew_and_its_timer_is_gone) {
  make();
  give("a", 0, at(10));
  give("a", 0, at(-1));
  told();
  UNSIGNED_LONGS_EQUAL(0, step->keys());
  CHECK(step->advance(100));
  STRCMP_EQUAL("", told().c_str());
  give("a", 0);
  STRCMP_EQUAL("a 1 record\n", told().c_str());
}

TEST(KeyedOperator, refuses_a_key_that_finds_no_room) {
  make();
  give("a", 0);
  give("b", 0);
  CHECK(give("c", 0) == Outcome::DeadLetter);
  STRCMP_EQUAL("capacity", refusals.last_reason.c_str());
  STRCMP_EQUAL("step teller: all max_keys = 2 keys are in use; no room for device = \"c\"", refusals.last_detail.c_str());
  UNSIGNED_LONGS_EQUAL(0, step->evicted());
}

TEST(KeyedOperator, evicts_the_key_updated_longest_ago) {
  spec.evict = Evict::Oldest;
  make();
  give("a", 0);
  give("b", 0);
  give("a", 0);
  give("c", 0);
  give("a", 0);
  STRCMP_EQUAL("a 1 record\nb 1 record\na 2 record\nc 1 record\na 3 record\n", told().c_str());
  UNSIGNED_LONGS_EQUAL(1, step->evicted());
  UNSIGNED_LONGS_EQUAL(1, step->fan_out());
}

TEST(KeyedOperator, evicts_with_what_the_state_has_to_say_if_there_is_room_for_it) {
  spec.evict = Evict::Emit;
  spec.max_keys = 1;
  make();
  UNSIGNED_LONGS_EQUAL(2, step->fan_out());
  give("a", 0);
  give("b", 0);
  STRCMP_EQUAL("a 1 record\na 1 evicted\nb 1 record\n", told().c_str());
  sink.room = 0;
  CHECK(give("c", 0) == Outcome::DeadLetter);
}

TEST(KeyedOperator, a_restart_brings_back_state_timers_lateness_and_the_order_of_eviction) {
  spec.evict = Evict::Oldest;
  make();
  give("a", 5, at(100));
  give("b", 6);
  give("a", 7, at(200));
  CHECK(step->advance(3));
  checkpoint();
  told();
  CHECK(restart().ok());
  CHECK(give("a", 6) == Outcome::Late);
  CHECK(step->advance(199));
  STRCMP_EQUAL("", told().c_str());
  CHECK(step->advance(200));
  STRCMP_EQUAL("a 2 event\n", told().c_str());
  give("c", 300);
  give("a", 300);
  STRCMP_EQUAL("c 1 record\na 3 record\n", told().c_str());
}

TEST(KeyedOperator, a_failed_checkpoint_loses_nothing) {
  make();
  give("a", 0);
  checkpoint(false);
  give("a", 0);
  checkpoint();
  told();
  CHECK(restart().ok());
  give("a", 0);
  STRCMP_EQUAL("a 3 record\n", told().c_str());
}

TEST(KeyedOperator, refuses_state_that_it_cannot_have_written) {
  make();
  give("a", 0);
  checkpoint();
  blobs.own.second.pop_back();
  CHECK(restart().code() == Code::Corrupt);
  checkpoint_id = 0;
  blobs = {};
  make();
  give("a", 0);
  checkpoint();
  blobs.own = {};
  CHECK(restart().code() == Code::Corrupt);
}

TEST(KeyedOperator, refuses_state_with_a_malformed_count) {
  make();
  give("a", 0);
  checkpoint();
  CHECK(!blobs.base.empty() || !blobs.deltas.empty());
  std::vector<uint8_t>& bytes = blobs.base.empty() ? blobs.deltas.begin()->second : blobs.base.begin()->second.second;
  // Behind the entry's header (6), the slot's (24) and two timers (16) begins the count; its last byte is the sign.
  bytes[6 + 24 + 16 + 7] = 0x80;
  CHECK(restart().code() == Code::Corrupt);
}

TEST(KeyedOperator, max_keys_may_grow_and_shrink_as_far_as_the_stored_keys_fit) {
  make();
  give("a", 0);
  give("b", 0);
  checkpoint();
  spec.max_keys = 5;
  CHECK(restart().ok());
  checkpoint();
  spec.max_keys = 2;
  CHECK(restart().ok());
  UNSIGNED_LONGS_EQUAL(2, step->keys());
  checkpoint();
  CHECK(restart().ok());
  UNSIGNED_LONGS_EQUAL(2, step->keys());
  spec.max_keys = 1;
  const Status status = restart();
  CHECK(status.code() == Code::Incompatible);
  LONGS_EQUAL(2, status.detail());
}

TEST(KeyedOperator, keys_follow_the_clock_of_their_records) {
  spec.clocks = 3;
  spec.max_keys = 4;
  make();
  CHECK(step->follows_clocks());
  give("a", 0, at(100), 1);
  give("b", 0, at(100), 2);
  told();
  CHECK(step->advance_clock(1, 100));
  STRCMP_EQUAL("a 1 event\n", told().c_str());
  LONGS_EQUAL(1, sink.seen.empty());
  checkpoint();
  CHECK(restart().ok());
  CHECK(step->advance_clock(1, 500));
  STRCMP_EQUAL("", told().c_str());
  CHECK(step->advance_clock(2, 99));
  STRCMP_EQUAL("", told().c_str());
  CHECK(step->advance_clock(2, 100));
  STRCMP_EQUAL("b 1 event\n", told().c_str());
}

namespace {

/// Refuses every record.
class Refuser final : public KeyedFunction {
 public:
  explicit Refuser(const Schema& schema) : schema_(schema) {}
  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return 1; }
  void describe(StateLayout& layout) const override {
    layout.kind = "refuser";
    layout.fields.add_u8("refused");
  }
  bool valid(const uint8_t*) const override { return true; }
  Outcome process(const Record& record, KeyContext& context) override { return context.refuse(record, "no", "not here"); }
  Outcome process_second(const Record& record, KeyContext& context) override { return process(record, context); }

 private:
  const Schema& schema_;
};

struct SchemaLog final : RefusalHandler {
  void on_refused(const Record&, const Schema& schema, std::string_view, Refusal) override { seen.push_back(&schema); }
  std::vector<const Schema*> seen;
};

}  // namespace

// A dead letter shows the record with the names of its fields: those of the input that it came by.
TEST(KeyedOperator, a_refused_record_is_described_by_the_input_that_it_came_by) {
  const Schema second = schema_of({{"x", Type::Int, 0}, {"unit", Type::String, 8}});
  SchemaLog log;
  spec = {"refuser", {0}, 2, Evict::Reject, 1};
  spec.second_input = &second;
  spec.second_key_fields = {1};
  KeyedOperator refuser(spec, std::make_unique<Refuser>(input), input, arena, "test.refuser");
  refuser.connect(&sink, &log);
  Value first_row[] = {Value::of_string("a"), Value::null()};
  Value second_row[] = {Value::of_int(1), Value::of_string("a")};
  const auto give_to = [](Operator& to, std::span<Value> row) { return to.process({row, 1, 1, false, 1, 1, 0}); };
  CHECK(give_to(refuser, first_row) == Outcome::DeadLetter);
  CHECK(give_to(*refuser.second_input(), second_row) == Outcome::DeadLetter);
  // And where there is no room for its key.
  for (const char* key : {"b", "c"}) {
    second_row[1] = Value::of_string(key);
    CHECK(give_to(*refuser.second_input(), second_row) == Outcome::DeadLetter);
  }
  UNSIGNED_LONGS_EQUAL(4, log.seen.size());
  POINTERS_EQUAL(&input, log.seen[0]);
  for (size_t index = 1; index < 4; ++index) POINTERS_EQUAL(&second, log.seen[index]);
}
