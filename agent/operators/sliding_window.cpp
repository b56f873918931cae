#include "agent/operators/sliding_window.h"

#include <algorithm>
#include <cstring>

#include "agent/base/arena.h"
#include "agent/operators/argument_row.h"

namespace weir {
namespace {

constexpr uint32_t header_bytes = 4;
constexpr uint32_t row_at = 8;

class SlidingFunction final : public OwnWindow {
 public:
  SlidingFunction(const SlidingWindows& windows, OwnWindowParts parts, Arena& arena, std::string_view pool)
      : OwnWindow(std::move(parts), arena, pool),
        windows_(windows),
        row_(aggregates()),
        entry_bytes_(row_at + row_.bytes()),
        accumulators_(arena.take<uint8_t>(accumulator_bytes(), std::string(pool) + ".row", "")),
        entry_(arena.take<uint8_t>(entry_bytes_, std::string(pool) + ".row", "")) {}

  uint32_t state_bytes() const override { return static_cast<uint32_t>(weir::state_bytes(windows_, aggregates())); }
  void describe(StateLayout& layout) const override {
    layout.kind = "window sliding";
    layout.add_shape("size_ms", windows_.size_ms);
    layout.fields.add_u32("count");
    StoredFields& record = layout.fields.add_list("records", windows_.max_records, "count");
    record.add_time("record.time");
    row_.describe(record);
  }
  bool valid(const uint8_t* state) const override;

  bool needs_order() const override { return false; }
  bool uses_event_timers() const override { return true; }

  Outcome admit(const Record& record, int64_t watermark_ms) const override {
    return record.event_time_ms <= watermark_ms ? Outcome::Late : Outcome::Applied;
  }
  Outcome process(const Record& record, KeyContext& context) override;
  void on_event_timer(int64_t, KeyContext& context) override { context.forget(); }

 private:
  static constexpr uint32_t none = UINT32_MAX;

  const uint8_t* at(const uint8_t* state, uint32_t index) const { return state + header_bytes + index * entry_bytes_; }
  uint8_t* at(uint8_t* state, uint32_t index) const { return state + header_bytes + index * entry_bytes_; }
  int64_t time_at(const uint8_t* state, uint32_t index) const { return load<int64_t>(at(state, index)); }
  /// The first entry behind `time_ms`.
  uint32_t behind(const uint8_t* state, int64_t time_ms) const;
  void drop_first(uint8_t* state, uint32_t count) const;
  void insert(uint8_t* state, uint32_t index) const;
  uint32_t keep(uint8_t* state, KeyContext& context) const;
  bool was_answered_without(const uint8_t* state, uint32_t place, int64_t time_ms) const;
  void sum(const uint8_t* state, uint32_t place) const;

  SlidingWindows windows_;
  ArgumentRow row_;
  uint32_t entry_bytes_;
  std::span<uint8_t> accumulators_;
  std::span<uint8_t> entry_;  // of the record in hand
};

bool SlidingFunction::valid(const uint8_t* state) const {
  const auto count = load<uint32_t>(state);
  if (count > windows_.max_records) return false;
  for (uint32_t index = 0; index < count; ++index) {
    if (!row_.valid(at(state, index) + row_at)) return false;
    if (index > 0 && time_at(state, index) < time_at(state, index - 1)) return false;
  }
  return true;
}

uint32_t SlidingFunction::behind(const uint8_t* state, int64_t time_ms) const {
  uint32_t index = load<uint32_t>(state);
  while (index > 0 && time_at(state, index - 1) > time_ms) --index;
  return index;
}

void SlidingFunction::drop_first(uint8_t* state, uint32_t count) const {
  const uint32_t kept = load<uint32_t>(state) - count;
  memmove(at(state, 0), at(state, count), size_t{kept} * entry_bytes_);
  memset(at(state, kept), 0, size_t{count} * entry_bytes_);
  store(state, kept);
}

void SlidingFunction::insert(uint8_t* state, uint32_t index) const {
  const auto count = load<uint32_t>(state);
  memmove(at(state, index + 1), at(state, index), size_t{count - index} * entry_bytes_);
  std::ranges::copy(entry_, at(state, index));
  store(state, count + 1);
}

Outcome SlidingFunction::process(const Record& record, KeyContext& context) {
  const int64_t time_ms = record.event_time_ms;
  if (time_ms <= context.watermark_ms()) return Outcome::Late;
  uint8_t* state = context.state().data();
  // The earliest window that can still come is that of a record right ahead of the watermark.
  drop_first(state, behind(state, saturating_subtract(saturating_add(context.watermark_ms(), 1), windows_.size_ms)));
  store(entry_.data(), time_ms);
  row_.put(entry_.data() + row_at, record);
  const uint32_t place = keep(state, context);
  if (was_answered_without(state, place, time_ms)) context.note_late_partial();
  sum(state, place);
  const int64_t last_use_ms = saturating_add(time_at(state, load<uint32_t>(state) - 1), windows_.size_ms - 1);
  context.set_event_timer(std::min(last_use_ms, end_of_input_ms));
  const int64_t begin_ms = saturating_subtract(time_ms, windows_.size_ms);
  emit(context, accumulators_.data(), {saturating_add(begin_ms, 1), saturating_add(time_ms, 1)}, 0, record.identity);
  return Outcome::Applied;
}

/// Puts the record in hand in its place, which it returns; none if it is older than all that can be kept.
uint32_t SlidingFunction::keep(uint8_t* state, KeyContext& context) const {
  const int64_t time_ms = load<int64_t>(entry_.data());
  uint32_t place = behind(state, time_ms);
  if (load<uint32_t>(state) == windows_.max_records) {
    const int64_t newest_ms = std::max(time_ms, time_at(state, windows_.max_records - 1));
    const int64_t gone_ms = place == 0 ? time_ms : time_at(state, 0);
    if (gone_ms > saturating_subtract(newest_ms, windows_.size_ms)) context.note_evicted();
    if (place == 0) return none;
    drop_first(state, 1);
    --place;
  }
  insert(state, place);
  return place;
}

/// Whether the record in hand belongs to the window of a record that was answered before it came.
bool SlidingFunction::was_answered_without(const uint8_t* state, uint32_t place, int64_t time_ms) const {
  const uint32_t next = place == none ? 0 : place + 1;
  if (next == load<uint32_t>(state)) return false;
  return time_ms > saturating_subtract(time_at(state, next), windows_.size_ms);
}

/// The accumulators of the window of the record in hand.
void SlidingFunction::sum(const uint8_t* state, uint32_t place) const {
  std::ranges::fill(accumulators_, uint8_t{0});
  const int64_t time_ms = load<int64_t>(entry_.data());
  if (place == none) return row_.add_to(accumulators_.data(), entry_.data() + row_at, time_ms);
  for (uint32_t index = behind(state, saturating_subtract(time_ms, windows_.size_ms)); index <= place; ++index)
    row_.add_to(accumulators_.data(), at(state, index) + row_at, time_at(state, index));
}

}  // namespace

uint64_t state_bytes(const SlidingWindows& windows, const AggregateSet& aggregates) {
  return header_bytes + uint64_t{windows.max_records} * (row_at + ArgumentRow(aggregates).bytes());
}

std::unique_ptr<KeyedFunction> make_sliding_windows(const SlidingWindows& windows, OwnWindowParts parts, Arena& arena,
                                                    std::string_view pool) {
  WEIR_ASSERT(windows.size_ms >= 1 && windows.max_records >= 1);
  return std::make_unique<SlidingFunction>(windows, std::move(parts), arena, pool);
}

}  // namespace weir
