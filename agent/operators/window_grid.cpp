#include "agent/operators/window_grid.h"

#include <algorithm>
#include <numeric>

#include "agent/operators/tumbling.h"

namespace weir {
namespace {

constexpr int64_t hour_ms = 3'600'000;

const char* name_of(WindowGrid::Kind kind) {
  if (kind == WindowGrid::Kind::Tumbling) return "window tumbling";
  return kind == WindowGrid::Kind::Hopping ? "window hopping" : "window cumulate";
}

int64_t slice_of_kind(WindowGrid::Kind kind, int64_t size_ms, int64_t hop_ms) {
  if (kind == WindowGrid::Kind::Tumbling) return size_ms;
  if (kind == WindowGrid::Kind::Cumulate) return hop_ms;
  return hop_ms >= size_ms ? size_ms : std::gcd(size_ms, hop_ms);
}

int64_t into_range(int64_t offset_ms, int64_t period_ms) {
  const int64_t rest = offset_ms % period_ms;
  return rest < 0 ? rest + period_ms : rest;
}

}  // namespace

WindowGrid::WindowGrid(Kind kind, int64_t size_ms, int64_t hop_ms, int64_t offset_ms)
    : kind_(kind),
      size_ms_(size_ms),
      hop_ms_(kind == Kind::Tumbling ? size_ms : hop_ms),
      offset_ms_(into_range(offset_ms, kind == Kind::Hopping ? hop_ms_ : size_ms)),
      slice_ms_(slice_of_kind(kind, size_ms, hop_ms)),
      period_ms_(kind == Kind::Hopping && hop_ms >= size_ms ? hop_ms : slice_ms_) {}

void WindowGrid::set_zone(TimeZone zone) {
  if (hour_ms % size_ms_ != 0 || hour_ms % hop_ms_ != 0) zone_ = std::move(zone);
}

uint64_t WindowGrid::windows_per_slice() const {
  if (kind_ == Kind::Cumulate) return static_cast<uint64_t>(size_ms_ / hop_ms_);
  return static_cast<uint64_t>((size_ms_ - 1) / hop_ms_ + 1);
}

void WindowGrid::describe(StateLayout& layout) const {
  layout.kind = name_of(kind_);
  layout.add_shape("size_ms", size_ms_);
  if (kind_ != Kind::Tumbling) layout.add_shape("every_ms", hop_ms_);
  layout.add_shape("offset_ms", offset_ms_);
  if (zone_) layout.add_shape("time_zone", zone_->name());
}

int64_t WindowGrid::floor(int64_t time_ms, int64_t period_ms) const {
  return TumblingWindows{period_ms, offset_ms_ % period_ms}.start_of(time_ms);
}

std::optional<int64_t> WindowGrid::slice_of(int64_t time_ms) const {
  const int64_t slice = floor(time_ms, period_ms_);
  if (slice_ms_ < period_ms_ && time_ms >= slice_end(slice)) return {};
  return slice;
}

/// Whether the window that ends here holds no instant more than the one that ends a slice earlier: clocks jump over the slice.
bool WindowGrid::is_hollow(int64_t end_ms) const { return zone_ && instant_of(end_ms) == instant_of(add(end_ms, -slice_ms_)); }

std::optional<int64_t> WindowGrid::first_end_after(int64_t slice, int64_t after_ms) const {
  const int64_t after = std::max(slice, after_ms);
  int64_t end = slice_end(slice);
  bool holds_it = true;
  if (kind_ == Kind::Hopping) {
    const int64_t start = add(floor(add(after, -size_ms_), hop_ms_), hop_ms_);
    end = add(start, size_ms_);
    holds_it = start <= slice;
  } else if (kind_ == Kind::Cumulate) {
    const int64_t last = last_end(slice);
    end = add(floor(after, hop_ms_), hop_ms_);
    while (end <= last && is_hollow(end)) end = add(end, hop_ms_);
    holds_it = end <= last;
  }
  if (!holds_it || end <= after) return {};
  return end;
}

int64_t WindowGrid::last_end(int64_t slice) const {
  return add(floor(slice, kind_ == Kind::Hopping ? hop_ms_ : size_ms_), size_ms_);
}

int64_t WindowGrid::start_of(int64_t end_ms) const {
  return kind_ == Kind::Cumulate ? floor(add(end_ms, -1), size_ms_) : add(end_ms, -size_ms_);
}

}  // namespace weir
