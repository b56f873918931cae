#include "agent/operators/state_window.h"

#include <algorithm>
#include <cstring>

#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t open_at = 0;
constexpr uint32_t start_at = 1;
constexpr uint32_t last_at = 9;
constexpr uint32_t early_at = 17;  // with early results; then the accumulators

uint32_t accumulators_begin(const StateWindows& windows) { return early_at + EarlyResults(windows.emit_every_ms).bytes(); }

class StateFunction final : public OwnWindow {
 public:
  StateFunction(StateWindows windows, OwnWindowParts parts, Arena& arena, std::string_view pool)
      : OwnWindow(std::move(parts), arena, pool),
        windows_(std::move(windows)),
        early_(windows_.emit_every_ms),
        accumulators_at_(accumulators_begin(windows_)) {}

  uint32_t state_bytes() const override { return static_cast<uint32_t>(weir::state_bytes(windows_, aggregates())); }
  void describe(StateLayout& layout) const override {
    layout.kind = "window state";
    layout.add_shape("open", windows_.open_text);
    layout.add_shape("close", windows_.close_text);
    layout.fields.add_flag("window.open");
    layout.fields.add_time("window.start");
    layout.fields.add_time("window.last");
    if (early_.wanted()) layout.fields.add_time("window.early");
    aggregates().describe(layout.fields);
  }
  bool valid(const uint8_t* state) const override {
    return state[open_at] <= 1 && load<int64_t>(state + start_at) <= load<int64_t>(state + last_at) &&
           (state[open_at] == 0 || early_due(state) > load<int64_t>(state + start_at)) &&
           aggregates().valid(state + accumulators_at_);
  }
  bool uses_event_timers() const override { return true; }

  Outcome admit(const Record& record, int64_t watermark_ms) const override {
    if (!holds(windows_.open, record)) return Outcome::Filtered;
    return record.event_time_ms <= watermark_ms ? Outcome::Late : Outcome::Applied;
  }
  Outcome process(const Record& record, KeyContext& context) override;
  void on_event_timer(int64_t time_ms, KeyContext& context) override;
  void on_evicted(KeyContext& context) override;

 private:
  /// Of a window with a max_duration.
  int64_t latest_end(const uint8_t* state) const {
    return saturating_add(load<int64_t>(state + start_at), windows_.max_duration_ms);
  }
  int64_t early_due(const uint8_t* state) const {
    return early_.wanted() ? load<int64_t>(state + early_at) : EarlyResults::none_ms;
  }
  Outcome open(const Record& record, KeyContext& context) const;
  void add(const Record& record, KeyContext& context) const;
  void set_timer(KeyContext& context) const;
  void close(KeyContext& context, int64_t end_ms);

  StateWindows windows_;
  EarlyResults early_;
  uint32_t accumulators_at_;
};

Outcome StateFunction::process(const Record& record, KeyContext& context) {
  if (context.peek()[open_at] != 0 && windows_.max_duration_ms > 0 && record.event_time_ms >= latest_end(context.peek()))
    close(context, latest_end(context.peek()));
  if (context.peek()[open_at] == 0) return open(record, context);
  const bool closes = holds(windows_.close, record);
  const bool belongs = !closes || windows_.include_close;
  if (belongs) add(record, context);
  if (!closes) return Outcome::Applied;
  const int64_t behind_last_ms = saturating_add(load<int64_t>(context.peek() + last_at), 1);
  close(context, std::max(behind_last_ms, record.event_time_ms));
  if (!belongs && holds(windows_.open, record)) (void)open(record, context);
  return Outcome::Applied;
}

Outcome StateFunction::open(const Record& record, KeyContext& context) const {
  const Outcome outcome = admit(record, context.watermark_ms());
  if (outcome != Outcome::Applied) return outcome;
  uint8_t* state = context.state().data();
  state[open_at] = 1;
  store(state + start_at, record.event_time_ms);
  if (early_.wanted()) store(state + early_at, EarlyResults::none_ms);
  add(record, context);
  return Outcome::Applied;
}

void StateFunction::add(const Record& record, KeyContext& context) const {
  uint8_t* state = context.state().data();
  store(state + last_at, record.event_time_ms);
  aggregates().add(state + accumulators_at_, record);
  if (early_due(state) == EarlyResults::none_ms && early_.wanted())
    store(state + early_at, early_.first_after(load<int64_t>(state + start_at), saturating_add(context.watermark_ms(), 1)));
  set_timer(context);
}

/// Of an open window.
void StateFunction::set_timer(KeyContext& context) const {
  const uint8_t* state = context.peek();
  const int64_t end_ms = windows_.max_duration_ms > 0 ? latest_end(state) : no_timer;
  const int64_t due_ms = std::min(early_due(state), end_ms);
  context.set_event_timer(due_ms == no_timer ? no_timer : due_ms - 1);
}

void StateFunction::close(KeyContext& context, int64_t end_ms) {
  std::span<uint8_t> state = context.state();
  emit(context, state.data() + accumulators_at_, {load<int64_t>(state.data() + start_at), end_ms}, 0, 0);
  std::ranges::fill(state, uint8_t{0});
  // Until then an older record of the key might come, which the key's newest event time shows to be late.
  context.set_event_timer(end_ms - 1);
}

void StateFunction::on_event_timer(int64_t time_ms, KeyContext& context) {
  const uint8_t* state = context.peek();
  if (state[open_at] == 0) return context.forget();
  if (windows_.max_duration_ms > 0 && time_ms + 1 >= latest_end(state)) {
    close(context, time_ms + 1);
    return context.forget();
  }
  const int64_t start_ms = load<int64_t>(state + start_at);
  emit(context, state + accumulators_at_, {start_ms, saturating_add(load<int64_t>(state + last_at), 1)},
       early_.pane_of(start_ms, early_due(state)), 0);
  store(context.state().data() + early_at, EarlyResults::none_ms);
  set_timer(context);
}

void StateFunction::on_evicted(KeyContext& context) {
  const uint8_t* state = context.peek();
  if (state[open_at] != 0) close(context, saturating_add(load<int64_t>(state + last_at), 1));
}

}  // namespace

uint64_t state_bytes(const StateWindows& windows, const AggregateSet& aggregates) {
  return accumulators_begin(windows) + aggregates.bytes();
}

std::unique_ptr<KeyedFunction> make_state_windows(StateWindows windows, OwnWindowParts parts, Arena& arena,
                                                  std::string_view pool) {
  return std::make_unique<StateFunction>(std::move(windows), std::move(parts), arena, pool);
}

}  // namespace weir
