// TimerQueue: at most one timer per slot, found in the order of their times: a binary heap that knows where each slot's timer
// is, so that moving and clearing one costs as little as setting it. Times are kept in memory only; the owner stores them.
// Owned by one operator; reactor thread; never allocates after it was made. 16 bytes per slot.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "agent/base/arena.h"
#include "agent/base/function_ref.h"

namespace weir {

class TimerQueue {
 public:
  static constexpr uint32_t none = UINT32_MAX;
  static constexpr int64_t never = INT64_MAX;
  /// Of two slots with equal times: whether the first goes before the second.
  using Ties = FunctionRef<bool(uint32_t slot, uint32_t other)>;

  /// Takes the pool "<pool>". slots may be 0: then nothing can be set.
  TimerQueue(uint32_t slots, Arena& arena, std::string_view pool);

  /// `never` clears it.
  void set(uint32_t slot, int64_t time_ms, Ties ties);
  int64_t time_of(uint32_t slot) const { return slots_.empty() ? never : slots_[slot].time_ms; }
  /// The slot whose timer is due first, or none.
  uint32_t first() const { return size_ == 0 ? none : heap_[0]; }

 private:
  struct Slot {
    int64_t time_ms = never;
    uint32_t place = none;  // in the heap
  };

  bool before(uint32_t slot, uint32_t other, Ties ties) const;
  void put(uint32_t place, uint32_t slot);
  void rise(uint32_t place, Ties ties);
  void sink(uint32_t place, Ties ties);
  void remove(uint32_t place, Ties ties);

  std::span<Slot> slots_;
  std::span<uint32_t> heap_;  // slots; the first size_
  uint32_t size_ = 0;
};

}  // namespace weir
