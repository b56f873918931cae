// WindowGrid: where aligned windows lie, and how they are cut into slices that they share. A window is [start, end); a record
// belongs to one slice, and every window is made of whole slices, so that a step keeps one accumulator per slice whatever the
// number of windows that a record belongs to. Sources: Flink's assigners (tumbling, sliding, cumulative; facts 4.2).
//   tumbling   windows of `size_ms`, end to end; the slice is the window
//   hopping    windows of `size_ms` that begin every `hop_ms`; the slice is their greatest common divisor, or the window where
//              windows do not overlap (hop_ms >= size_ms), and then what lies between two windows belongs to none
//   cumulate   windows that begin every `size_ms` and end after 1, 2, … times `hop_ms` (which divides the size); a slice per
//   hop
//
// Windows begin at multiples of size (tumbling, cumulate) or hop, plus the offset. The grid has a time of its own: UTC, or in a
// time zone what the clocks on the wall show, counted from local midnight of 1970-01-01. A boundary B of the grid is the
// instant TimeZone::utc_of_local(B): the earliest at which a wall clock shows B or later. So days are 23 or 25 hours long where
// the clocks change; an hour that comes twice belongs as a whole to the slice that holds the moment before the clocks go back,
// and a slice inside an hour that never comes holds no instant. Where all lengths divide an hour, the zone is left out: such
// windows lie the same everywhere.
//
// Times of the grid are ms; sums saturate, so that no event time is undefined. A plain value, read only; each call is constant
// time but for a zone's binary search.
#pragma once

#include <optional>
#include <string>

#include "agent/base/time_zone.h"
#include "agent/model/state_layout.h"

namespace weir {

class WindowGrid {
 public:
  enum class Kind : uint8_t { Tumbling, Hopping, Cumulate };
  /// One window per ms.
  WindowGrid() : WindowGrid(Kind::Tumbling, 1, 1, 0) {}
  /// size_ms and hop_ms > 0 (hop_ms does not count for tumbling windows); the offset may be any, and is brought into range.
  WindowGrid(Kind kind, int64_t size_ms, int64_t hop_ms, int64_t offset_ms);
  /// Lays the windows out in local time, if that makes a difference.
  void set_zone(TimeZone zone);

  Kind kind() const { return kind_; }
  int64_t size_ms() const { return size_ms_; }
  int64_t hop_ms() const { return hop_ms_; }
  int64_t offset_ms() const { return offset_ms_; }
  int64_t slice_ms() const { return slice_ms_; }
  /// The most windows that one slice belongs to.
  uint64_t windows_per_slice() const;
  /// "tumbling 10 ms, offset 0 ms": changes with everything that moves a window.
  /// Sets the kind and the shape.
  void describe(StateLayout& layout) const;

  /// The greatest time of the grid whose instant is not after `utc_ms`.
  int64_t time_of(int64_t utc_ms) const { return zone_ ? zone_->latest_local_of(utc_ms) : utc_ms; }
  /// The instant of a boundary, or of any other time of the grid. Never falls while `time_ms` rises.
  int64_t instant_of(int64_t time_ms) const { return zone_ ? zone_->utc_of_local(time_ms) : time_ms; }

  /// The start of the slice that holds this time of the grid; nothing if no window does.
  std::optional<int64_t> slice_of(int64_t time_ms) const;
  int64_t slice_end(int64_t slice) const { return add(slice, slice_ms_); }
  /// The end of the first window that holds the slice and ends after `after_ms`, if there is one.
  std::optional<int64_t> first_end_after(int64_t slice, int64_t after_ms) const;
  /// The end of the last window that holds the slice.
  int64_t last_end(int64_t slice) const;
  /// Of the window with this end.
  int64_t start_of(int64_t end_ms) const;

 private:
  static int64_t add(int64_t left, int64_t right) {
    int64_t sum = 0;
    return __builtin_add_overflow(left, right, &sum) ? (right < 0 ? INT64_MIN : INT64_MAX) : sum;
  }
  /// The last multiple of `period_ms`, plus the offset, that is not after `time_ms`.
  int64_t floor(int64_t time_ms, int64_t period_ms) const;
  bool is_hollow(int64_t end_ms) const;

  Kind kind_;
  int64_t size_ms_;
  int64_t hop_ms_;
  int64_t offset_ms_;
  int64_t slice_ms_;
  int64_t period_ms_;  // slices begin at multiples of this
  std::optional<TimeZone> zone_;
};

}  // namespace weir
