#include "agent/operators/count_window.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "agent/base/arena.h"
#include "agent/operators/value_cell.h"

namespace weir {
namespace {

constexpr uint32_t least_at = 0;
constexpr uint32_t greatest_at = 8;
constexpr uint32_t accumulators_at = 16;

/// The front of a key's state.
struct Filling {
  uint32_t records = 0;  // in the slice that is being filled
  uint32_t slice = 0;    // its place in the ring
  uint32_t full = 0;     // slices filled and kept, the newest right before `slice`
  uint32_t since = 0;    // slices filled since the last window
};
static_assert(sizeof(Filling) == 16);

class CountFunction final : public OwnWindow {
 public:
  CountFunction(const CountWindows& windows, OwnWindowParts parts, Arena& arena, std::string_view pool)
      : OwnWindow(std::move(parts), arena, pool),
        windows_(windows),
        slice_records_(std::gcd(windows.count, windows.every)),
        slices_(windows.count / slice_records_),
        slices_per_firing_(windows.every / slice_records_),
        slice_bytes_(accumulators_at + accumulator_bytes()) {
    merged_ = arena.take<uint8_t>(slice_bytes_, std::string(pool) + ".row", "");
  }

  uint32_t state_bytes() const override { return static_cast<uint32_t>(weir::state_bytes(windows_, aggregates())); }
  void describe(StateLayout& layout) const override {
    layout.kind = "window count";
    layout.add_shape("count", windows_.count);
    layout.add_shape("every", windows_.every);
    for (const char* name : {"records", "slice", "full", "since"}) layout.fields.add_u32(name);
    StoredFields& slice = layout.fields.add_list("slices", slices_);
    slice.add_time("slice.least");
    slice.add_time("slice.greatest");
    aggregates().describe(slice);
  }
  bool valid(const uint8_t* state) const override;

  bool needs_order() const override { return false; }
  bool uses_event_timers() const override { return windows_.emit_partial; }

  Outcome process(const Record& record, KeyContext& context) override;
  void on_event_timer(int64_t, KeyContext& context) override;
  void on_evicted(KeyContext& context) override;

 private:
  const uint8_t* at(const uint8_t* state, uint32_t slice) const { return state + sizeof(Filling) + slice * slice_bytes_; }
  uint8_t* at(uint8_t* state, uint32_t slice) const { return state + sizeof(Filling) + slice * slice_bytes_; }
  void gather(uint8_t* slice, const Record& record, bool first) const;
  void fire(KeyContext& context, const uint8_t* state, uint32_t full, bool and_filling, uint64_t mark);
  void fire_open(KeyContext& context);
  bool open(const Filling& filling) const { return filling.records > 0 || filling.since > 0; }

  CountWindows windows_;
  uint32_t slice_records_;
  uint32_t slices_;
  uint32_t slices_per_firing_;
  uint32_t slice_bytes_;
  std::span<uint8_t> merged_;
};

bool CountFunction::valid(const uint8_t* state) const {
  const auto filling = load<Filling>(state);
  if (filling.records >= slice_records_ || filling.slice >= slices_ || filling.full > slices_ ||
      filling.since >= slices_per_firing_)
    return false;
  for (uint32_t slice = 0; slice < slices_; ++slice)
    if (!aggregates().valid(at(state, slice) + accumulators_at)) return false;
  return true;
}

Outcome CountFunction::process(const Record& record, KeyContext& context) {
  uint8_t* state = context.state().data();
  auto filling = load<Filling>(state);
  gather(at(state, filling.slice), record, filling.records == 0);
  bool fires = false;
  if (++filling.records == slice_records_) {
    filling = {0, (filling.slice + 1) % slices_, std::min(filling.full + 1, slices_), filling.since + 1};
    fires = filling.since == slices_per_firing_;
    if (fires) filling.since = 0;
  }
  store(state, filling);
  if (fires && (filling.full == slices_ || windows_.emit_partial)) fire(context, state, filling.full, false, record.identity);
  if (fires && slices_ == 1) {
    context.forget();
  } else if (windows_.emit_partial) {
    context.set_event_timer(open(filling) ? end_of_input_ms : no_timer);
  }
  return Outcome::Applied;
}

void CountFunction::gather(uint8_t* slice, const Record& record, bool first) const {
  if (first) {
    memset(slice, 0, slice_bytes_);
    store(slice + least_at, INT64_MAX);
    store(slice + greatest_at, INT64_MIN);
  }
  store(slice + least_at, std::min(load<int64_t>(slice + least_at), record.event_time_ms));
  store(slice + greatest_at, std::max(load<int64_t>(slice + greatest_at), record.event_time_ms));
  aggregates().add(slice + accumulators_at, record);
}

/// Over the newest `full` slices and, if so, the one that is being filled.
void CountFunction::fire(KeyContext& context, const uint8_t* state, uint32_t full, bool and_filling, uint64_t mark) {
  const auto filling = load<Filling>(state);
  int64_t least_ms = INT64_MAX;
  int64_t greatest_ms = INT64_MIN;
  std::ranges::fill(merged_, uint8_t{0});
  for (uint32_t number = 0; number < full + (and_filling ? 1 : 0); ++number) {
    const uint8_t* slice = at(state, (filling.slice + slices_ - full + number) % slices_);
    least_ms = std::min(least_ms, load<int64_t>(slice + least_at));
    greatest_ms = std::max(greatest_ms, load<int64_t>(slice + greatest_at));
    aggregates().merge(merged_.data() + accumulators_at, slice + accumulators_at);
  }
  emit(context, merged_.data() + accumulators_at, {least_ms, saturating_add(greatest_ms, 1)}, 0, mark);
}

/// The window that would fire next, with what it has of its records so far.
void CountFunction::fire_open(KeyContext& context) {
  const auto filling = load<Filling>(context.peek());
  const uint32_t full = std::min(filling.full, slices_ - slices_per_firing_ + filling.since);
  if (open(filling)) fire(context, context.peek(), full, filling.records > 0, 0);
}

void CountFunction::on_event_timer(int64_t, KeyContext& context) {
  fire_open(context);
  context.forget();
}

void CountFunction::on_evicted(KeyContext& context) { fire_open(context); }

}  // namespace

uint64_t state_bytes(const CountWindows& windows, const AggregateSet& aggregates) {
  const uint64_t slices = windows.count / std::gcd(windows.count, windows.every);
  return sizeof(Filling) + slices * (accumulators_at + aggregates.bytes());
}

std::unique_ptr<KeyedFunction> make_count_windows(const CountWindows& windows, OwnWindowParts parts, Arena& arena,
                                                  std::string_view pool) {
  WEIR_ASSERT(windows.every >= 1 && windows.every <= windows.count);
  return std::make_unique<CountFunction>(windows, std::move(parts), arena, pool);
}

}  // namespace weir
