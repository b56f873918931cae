// sample: one record of a key per interval of event time, the last or the first one, handed on when the interval is over: by
// the watermark or by a later record of the key. Or, counted instead of timed, every n-th record of a key.
//
// The result of an interval has the event time of the interval's last millisecond, as a window's result has. Intervals are
// aligned to 1970-01-01 UTC plus `offset` (tumbling.h). A record of an interval that the watermark has closed is late.
//
// State of a key by intervals: i64 start of the interval, u64 source offset of the record that is held, the record (a RowCell);
// a key has state only while it holds one. By number: u32 records since the last one that went on.
#include "agent/operators/row_cell.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/tumbling.h"

namespace weir {
namespace {

constexpr uint32_t start_at = 0;
constexpr uint32_t offset_at = 8;
constexpr uint32_t record_at = 16;

class SampleInterval final : public KeyedFunction {
 public:
  /// `row` has room for a record of `input`.
  SampleInterval(TumblingWindows intervals, bool first, const Schema& input, std::span<Value> row)
      : intervals_(intervals), first_(first), schema_(input), record_(input), row_(row) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return record_at + record_.bytes(); }
  /// What is held belongs to an interval of this size and place.
  void describe(StateLayout& layout) const override {
    layout.kind = "sample";
    layout.add_shape("interval_ms", intervals_.size_ms);
    layout.add_shape("offset_ms", intervals_.offset_ms);
    layout.fields.add_time("start");
    layout.fields.add_u64("record.offset");
    record_.describe(layout.fields, "record");
  }
  bool valid(const uint8_t* state) const override {
    const auto start_ms = load<int64_t>(state + start_at);
    return intervals_.start_of(start_ms) == start_ms && record_.valid(state + record_at);
  }
  bool uses_event_timers() const override { return true; }

  Outcome process(const Record& record, KeyContext& context) override {
    const int64_t start_ms = intervals_.start_of(record.event_time_ms);
    if (intervals_.last_of(start_ms) <= context.watermark_ms()) {
      if (context.is_new()) context.forget();
      return Outcome::Late;
    }
    if (!context.is_new() && load<int64_t>(context.peek() + start_at) == start_ms) {
      if (first_) return Outcome::Filtered;
    } else {
      if (!context.is_new()) hand_on(context);
      store(context.state().data() + start_at, start_ms);
      context.set_event_timer(intervals_.last_of(start_ms));
    }
    store(context.state().data() + offset_at, record.offset);
    record_.put(context.state().data() + record_at, record.values);
    return Outcome::Applied;
  }
  void on_event_timer(int64_t time_ms, KeyContext& context) override {
    (void)time_ms;
    hand_on(context);
    context.forget();
  }
  void on_evicted(KeyContext& context) override { hand_on(context); }

 private:
  /// A key that was evicted can come back within its interval: the source offset tells the two results apart.
  void hand_on(KeyContext& context) {
    const uint8_t* state = context.peek();
    record_.get(state + record_at, row_);
    context.emit(row_, intervals_.last_of(load<int64_t>(state + start_at)), load<uint64_t>(state + offset_at));
  }

  TumblingWindows intervals_;
  bool first_;
  const Schema& schema_;
  RowCell record_;
  std::span<Value> row_;
};

class SampleEvery final : public KeyedFunction {
 public:
  SampleEvery(uint32_t every, const Schema& input) : every_(every), schema_(input) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return sizeof(uint32_t); }
  void describe(StateLayout& layout) const override {
    layout.kind = "sample every";
    layout.fields.add_u32("records");
  }
  bool valid(const uint8_t* state) const override {
    (void)state;  // after `every` was made smaller the count may be larger than it
    return true;
  }
  bool needs_order() const override { return false; }

  Outcome process(const Record& record, KeyContext& context) override {
    const auto before = load<uint32_t>(context.peek());
    const bool goes_on = before >= every_ - 1;
    store<uint32_t>(context.state().data(), goes_on ? 0 : before + 1);
    return goes_on ? context.forward(record) : Outcome::Filtered;
  }

 private:
  uint32_t every_;
  const Schema& schema_;
};

std::unique_ptr<Operator> make_every(StepBuild& build) {
  for (const char* key : {"offset", "take"})
    if (build.options().given(key)) build.error(key, std::string(key) + " says something about an interval", "leave it out");
  return build.keyed(std::make_unique<SampleEvery>(static_cast<uint32_t>(build.options().integer("every")), build.input()));
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  if (options.given("interval") == options.given("every")) {
    build.error("every", "a sample needs either \"interval\" or \"every\"", "for example: interval = \"1min\"");
    return nullptr;
  }
  if (options.given("every")) return make_every(build);
  const TumblingWindows intervals{options.integer("interval"), options.integer("offset")};
  if (intervals.offset_ms >= intervals.size_ms) {
    build.error("offset", "the offset must be shorter than the interval");
    return nullptr;
  }
  const std::span<Value> row = build.arena().take<Value>(build.input().size(), build.pool() + ".result", "1 row");
  return build.keyed(std::make_unique<SampleInterval>(intervals, options.text("take").value == "first", build.input(), row));
}

constexpr const char* ends[] = {"last", "first"};

constexpr StepOption options[] = {
    {.key = "interval",
     .type = StepOptionType::Duration,
     .minimum = "1ms",
     .documentation =
         "One record of a key goes on per interval of event time, when the interval is over. Its event time is the "
         "interval's last millisecond.",
     .example = "interval = \"1min\""},
    {.key = "offset",
     .type = StepOptionType::Duration,
     .standard = "0s",
     .minimum = "0s",
     .maximum = "365d",
     .documentation = "Intervals begin at multiples of their length, counted from 1970-01-01 UTC, plus this; shorter than the "
                      "interval.",
     .example = "offset = \"15s\""},
    {.key = "take",
     .type = StepOptionType::Choice,
     .standard = "last",
     .choices = ends,
     .documentation = "Which record of the interval it is.",
     .example = "take = \"first\""},
    {.key = "every",
     .type = StepOptionType::Integer,
     .minimum = "1",
     .maximum = "1000000000",
     .documentation =
         "Instead of `interval`: every so many records of a key one goes on, at once: with 10 the 10th, 20th, 30th. "
         "The order of their event times does not matter then.",
     .example = "every = 10"},
};

}  // namespace

const StepKind sample_step = {
    .verb = "sample",
    .documentation = "Verb: one record of a key per interval goes on, or every n-th one.",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
