// Records whose field is null are held back from the last value on, until the next value comes or cannot come any more: in time
// (max_gap) or in number (max_held). They go on as records of this step's own, before the one with the value.
//
// State of a key: u8 whether there is a last value that nulls can be measured from, f64 it, i64 its event time, u64 how many
// records were handed on after having been held (their ordinals), u16 how many are held; of each: i64 event time, its RowCell.
#include "agent/operators/fill_linear.h"

#include <cmath>

#include "agent/operators/elapsed.h"
#include "agent/operators/row_cell.h"

namespace weir {
namespace {

constexpr uint32_t present_at = 0;
constexpr uint32_t value_at = 1;
constexpr uint32_t time_at = 9;
constexpr uint32_t ordinal_at = 17;
constexpr uint32_t count_at = 25;
constexpr uint32_t held_at = 27;

class FillLinear final : public KeyedFunction {
 public:
  FillLinear(uint32_t field, int64_t max_gap_ms, uint32_t max_held, const StepBuild& build)
      : field_(field),
        max_gap_ms_(max_gap_ms),
        max_held_(max_held),
        schema_(build.input()),
        cell_(schema_),
        row_(build.arena().take<Value>(schema_.size(), build.pool() + ".result", "1 record")) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return held_at + max_held_ * held_bytes(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "fill";
    layout.add_shape("method", "linear");
    layout.add_shape("field", schema_[field_].name);
    layout.fields.add_flag("present");
    layout.fields.add_f64("value");
    layout.fields.add_time("time");
    layout.fields.add_u64("ordinal");
    layout.fields.add_u16("count");
    StoredFields& held = layout.fields.add_list("held", max_held_, "count");
    held.add_time("time");
    cell_.describe(held, "record");
  }
  bool valid(const uint8_t* state) const override;
  bool uses_event_timers() const override { return max_gap_ms_ > 0; }
  /// All that are held, and the record that brings the value.
  uint32_t fan_out() const override { return max_held_ + 1; }

  Outcome process(const Record& record, KeyContext& context) override;
  void on_event_timer(int64_t, KeyContext& context) override { give_up(context); }
  void on_evicted(KeyContext& context) override { give_up(context); }

 private:
  uint32_t held_bytes() const { return 8 + cell_.bytes(); }
  uint32_t held(uint32_t index) const { return held_at + index * held_bytes(); }
  bool too_late(const uint8_t* state, int64_t time_ms) const {
    return max_gap_ms_ > 0 && elapsed_ms(load<int64_t>(state + time_at), time_ms) > max_gap_ms_;
  }

  /// No value that could end the gap is expected any more.
  bool gap_is_over(const uint8_t* state, int64_t watermark_ms) const {
    return max_gap_ms_ > 0 && later_ms(load<int64_t>(state + time_at), max_gap_ms_) <= watermark_ms;
  }

  void hold(const Record& record, KeyContext& context) const;
  void remember(double value, int64_t time_ms, KeyContext& context) const;
  void give_up(KeyContext& context) const;
  template <class ValueAt>
  void release(KeyContext& context, ValueAt value_of) const;

  uint32_t field_;
  int64_t max_gap_ms_;
  uint32_t max_held_;
  const Schema& schema_;
  RowCell cell_;
  std::span<Value> row_;
};

bool FillLinear::valid(const uint8_t* state) const {
  const auto count = load<uint16_t>(state + count_at);
  if (state[present_at] > 1 || !std::isfinite(load<double>(state + value_at)) || count > max_held_) return false;
  if (count > 0 && state[present_at] == 0) return false;
  for (uint32_t index = 0; index < count; ++index)
    if (!cell_.valid(state + held(index) + 8)) return false;
  return true;
}

Outcome FillLinear::process(const Record& record, KeyContext& context) {
  const Value& value = record.values[field_];
  if (value.is_null()) {
    const uint8_t* state = context.peek();
    if (state[present_at] == 0) return context.forward(record);
    const bool can_end = !too_late(state, record.event_time_ms) && !gap_is_over(state, context.watermark_ms());
    if (can_end && load<uint16_t>(state + count_at) < max_held_) {
      hold(record, context);
      return Outcome::Applied;
    }
    give_up(context);
    return context.forward(record);
  }
  const double after = value.as_float();
  const uint8_t* state = context.peek();
  const auto before = load<double>(state + value_at);
  const auto before_ms = load<int64_t>(state + time_at);
  if (too_late(state, record.event_time_ms)) {
    give_up(context);
  } else {
    const auto gap = static_cast<double>(elapsed_ms(before_ms, record.event_time_ms));
    release(context, [&](int64_t time_ms) {
      const auto way = static_cast<double>(elapsed_ms(before_ms, time_ms));
      const double between = gap == 0 ? before : before + (after - before) * (way / gap);
      return std::isfinite(between) ? Value::of_float(between) : Value::null();
    });
  }
  remember(after, record.event_time_ms, context);
  return context.forward(record);
}

void FillLinear::hold(const Record& record, KeyContext& context) const {
  uint8_t* state = context.state().data();
  const auto count = load<uint16_t>(state + count_at);
  store(state + held(count), record.event_time_ms);
  cell_.put(state + held(count) + 8, record.values);
  store(state + count_at, static_cast<uint16_t>(count + 1));
  if (max_gap_ms_ > 0) context.set_event_timer(later_ms(load<int64_t>(state + time_at), max_gap_ms_));
}

void FillLinear::remember(double value, int64_t time_ms, KeyContext& context) const {
  uint8_t* state = context.state().data();
  state[present_at] = 1;
  store(state + value_at, value);
  store(state + time_at, time_ms);
}

/// The gap stays as it is, and so does what comes until the next value.
void FillLinear::give_up(KeyContext& context) const {
  release(context, [](int64_t) { return Value::null(); });
  context.state()[present_at] = 0;
}

/// Hands on what is held, with what `value_of` says for its event time.
template <class ValueAt>
void FillLinear::release(KeyContext& context, ValueAt value_of) const {
  const auto count = load<uint16_t>(context.peek() + count_at);
  if (count == 0) return;
  uint8_t* state = context.state().data();
  if (max_gap_ms_ > 0) context.clear_event_timer();
  for (uint32_t index = 0; index < count; ++index) {
    const auto time_ms = load<int64_t>(state + held(index));
    const auto ordinal = load<uint64_t>(state + ordinal_at);
    store(state + ordinal_at, ordinal + 1);
    cell_.get(state + held(index) + 8, row_);
    row_[field_] = value_of(time_ms);
    context.emit(row_, time_ms, ordinal);
  }
  store(state + count_at, uint16_t{0});
}

}  // namespace

std::unique_ptr<KeyedFunction> make_fill_linear(uint32_t field, int64_t max_gap_ms, uint32_t max_held, StepBuild& build) {
  return std::make_unique<FillLinear>(field, max_gap_ms, max_held, build);
}

}  // namespace weir
