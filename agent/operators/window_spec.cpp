// What of a WindowAggregate is settled before it runs: whether its specification can be built, and the texts and sizes that
// follow from it.
#include "agent/operators/window_spec.h"

#include <algorithm>

#include "agent/operators/value_cell.h"
#include "agent/operators/window_aggregate.h"

namespace weir {
namespace {

/// Window arithmetic adds and subtracts two sizes.
constexpr int64_t size_max = INT64_MAX / 4;
/// A step's state beyond this is a slip of the pen, not a plan.
constexpr uint64_t state_bytes_max = Arena::default_capacity / 4;

/// Of one key: more is a slip of the pen as well.
constexpr uint64_t slices_max = 100'000;
/// So long no tick may come while a checkpoint is taken.
constexpr int64_t tick_delay_ms = 1000;

using Part = WindowFault::Part;

bool has_pane(const WindowSpec& spec) { return spec.allowed_lateness_ms > 0 || spec.emit_every_ms > 0; }

bool has_clocks(const WindowSpec& spec) { return spec.clocks > 1 && !spec.processing_time; }

class Checker {
 public:
  Checker(const WindowSpec& spec, const Schema& input) : spec_(spec), input_(input) {}

  std::vector<WindowFault> run() {
    check_times();
    check_names();
    check_memory();
    return std::move(faults_);
  }

 private:
  void blame(Part part, size_t index, std::string message) { faults_.push_back({part, index, std::move(message)}); }

  void check_times() {
    const WindowLengths& lengths = spec_.windows;
    times_fit_ = lengths.size_ms >= 1 && lengths.size_ms <= size_max;
    if (!times_fit_) return blame(Part::Size, 0, "a window is at least 1 ms long");
    check_early();
    if (lengths.kind == WindowGrid::Kind::Tumbling) return;
    times_fit_ = lengths.hop_ms >= 1 && lengths.hop_ms <= size_max;
    if (!times_fit_) return blame(Part::Hop, 0, "from one window to the next it is at least 1 ms");
    if (lengths.kind != WindowGrid::Kind::Cumulate || lengths.size_ms % lengths.hop_ms == 0) return;
    times_fit_ = false;
    blame(Part::Hop, 0, "a window that grows must be a multiple of its steps");
  }

  void check_early() {
    if (spec_.emit_every_ms > 0 && spec_.windows.kind == WindowGrid::Kind::Cumulate)
      blame(Part::EmitEvery, 0, "a cumulation has no early results beside those that it is made of");
    if (spec_.emit_every_ms >= spec_.windows.size_ms)
      blame(Part::EmitEvery, 0, "early results must come before their windows end");
  }

  void check_names() {
    for (WindowFault& fault : check_window_fields(input_, spec_.key_fields, spec_.aggregates, has_pane(spec_)))
      faults_.push_back(std::move(fault));
  }

  void check_memory() {
    WindowSizes sizes;
    sizes.slot_bytes = slice_parts(spec_).key + KeyCodec(input_, spec_.key_fields).bytes_max();
    if (sizes.slot_bytes > KeyedState::slot_bytes_max)
      return blame(Part::KeyBy, 0,
                   "the state of one window takes " + std::to_string(sizes.slot_bytes) + " bytes, more than " +
                       std::to_string(KeyedState::slot_bytes_max) + "; give text fields a smaller length");
    if (spec_.max_keys == 0) return blame(Part::MaxKeys, 0, "max_keys must be at least 1");
    if (!times_fit_) return;
    sizes = window_sizes(spec_, input_);
    if (spec_.windows.kind != WindowGrid::Kind::Tumbling && sizes.slices > slices_max)
      return blame(Part::Hop, 0,
                   "one key would need " + std::to_string(sizes.slices) + " slices of " +
                       std::to_string(window_grid(spec_).slice_ms()) + " ms, more than " + std::to_string(slices_max) +
                       "; make `every` longer, or such that it divides the size (a slice is their greatest common divisor), or "
                       "max_delay and allowed_lateness shorter");
    if (spec_.max_keys > state_bytes_max || sizes.slices > state_bytes_max / spec_.max_keys / sizes.slot_bytes)
      blame(Part::MaxKeys, 0,
            std::to_string(spec_.max_keys) + " keys x " + std::to_string(sizes.slices) +
                (spec_.windows.kind == WindowGrid::Kind::Tumbling ? " open windows x " : " slices x ") +
                std::to_string(sizes.slot_bytes) + " bytes is more than " + std::to_string(state_bytes_max));
  }

  const WindowSpec& spec_;
  const Schema& input_;
  std::vector<WindowFault> faults_;
  bool times_fit_ = false;
};

}  // namespace

std::vector<WindowFault> WindowAggregate::check(const WindowSpec& spec, const Schema& input) {
  return Checker(spec, input).run();
}

WindowGrid window_grid(const WindowSpec& spec) {
  WindowGrid grid(spec.windows.kind, spec.windows.size_ms, spec.windows.hop_ms, spec.windows.offset_ms);
  if (spec.zone) grid.set_zone(*spec.zone);
  return grid;
}

Silence Silence::read(const uint8_t* at) { return {load<int64_t>(at), load<uint64_t>(at + sizeof(int64_t))}; }

void Silence::write(uint8_t* at) const {
  store(at, since_ms);
  store(at + sizeof(int64_t), sequence);
}

SliceParts slice_parts(const WindowSpec& spec) {
  SliceParts parts;
  uint32_t at = slice_header_bytes;
  auto take = [&at](bool used, uint32_t bytes) {
    const uint32_t begin = at;
    at += used ? bytes : 0;
    return used ? begin : SliceParts::none;
  };
  const bool stays = spec.windows.kind != WindowGrid::Kind::Tumbling || spec.allowed_lateness_ms > 0 || spec.empty_ms > 0;
  parts.fired_to = take(stays, sizeof(int64_t));
  parts.panes = take(spec.allowed_lateness_ms > 0, sizeof(uint32_t));
  parts.early = take(spec.emit_every_ms > 0, sizeof(int64_t));
  parts.clock = take(has_clocks(spec), sizeof(uint32_t));
  parts.silence = take(spec.empty_ms > 0, Silence::bytes);
  parts.aggregates = at;
  parts.key = at + static_cast<uint32_t>(spec.aggregates.bytes());
  return parts;
}

namespace {

/// Of one key: as many as there are from the oldest that a window which is not gone may need to the newest record.
uint64_t slices_per_key(const WindowSpec& spec) {
  const WindowGrid grid = window_grid(spec);
  const auto delay_ms = static_cast<uint64_t>(spec.processing_time ? tick_delay_ms : spec.max_delay_ms);
  const uint64_t behind_ms = delay_ms + static_cast<uint64_t>(spec.allowed_lateness_ms);
  const auto slice_ms = static_cast<uint64_t>(grid.slice_ms());
  if (grid.kind() == WindowGrid::Kind::Tumbling) return behind_ms / slice_ms + 2;
  if (grid.kind() == WindowGrid::Kind::Cumulate) return behind_ms / slice_ms + 3;
  if (grid.hop_ms() >= grid.size_ms()) return behind_ms / static_cast<uint64_t>(grid.hop_ms()) + 2;
  return (behind_ms + static_cast<uint64_t>(grid.size_ms()) - slice_ms) / slice_ms + 2;
}

}  // namespace

WindowSizes window_sizes(const WindowSpec& spec, const Schema& input) {
  return {slice_parts(spec).key + KeyCodec(input, spec.key_fields).bytes_max(), slices_per_key(spec)};
}

Schema window_schema(const WindowSpec& spec, const Schema& input) {
  return window_fields(input, spec.key_fields, spec.aggregates, has_pane(spec));
}

StateLayout window_layout(const WindowSpec& spec, const Schema& input) {
  StateLayout layout;
  window_grid(spec).describe(layout);
  layout.add_shape("time", spec.processing_time ? "processing" : "event");
  for (uint32_t position : spec.key_fields) layout.key.push_back(input[position]);
  layout.own.add_time("watermark");
  layout.own.add_u32("slots");
  const SliceParts parts = slice_parts(spec);
  if (parts.any()) {
    layout.own.add_u64("late_partial");
    layout.own.add_u64("late_updates");
    layout.own.add_u32("clocks");
  }
  StoredFields& fields = layout.fields;
  fields.add_u64("step.sequence");
  fields.add_time("slice.start");
  fields.add_u64("slice.offset");
  if (parts.fired_to != SliceParts::none) fields.add_time("slice.fired_to");
  if (parts.panes != SliceParts::none) fields.add_u32("slice.panes");
  if (parts.early != SliceParts::none) fields.add_time("slice.early");
  if (parts.clock != SliceParts::none) fields.add_u32("step.clock");
  if (parts.silence != SliceParts::none) {
    fields.add_time("slice.silent_since");
    fields.add_u64("slice.silent_sequence");
  }
  spec.aggregates.describe(fields);
  WEIR_ASSERT(fields.bytes() == parts.key);
  return layout;
}

}  // namespace weir
