#include "agent/operators/timer_queue.h"

namespace weir {

TimerQueue::TimerQueue(uint32_t slots, Arena& arena, std::string_view pool)
    : slots_(arena.take<Slot>(slots, pool, std::to_string(slots) + " timers x 20 bytes")),
      heap_(arena.take<uint32_t>(slots, pool, "")) {}

bool TimerQueue::before(uint32_t slot, uint32_t other, Ties ties) const {
  const int64_t time_ms = slots_[slot].time_ms;
  const int64_t other_ms = slots_[other].time_ms;
  return time_ms != other_ms ? time_ms < other_ms : ties(slot, other);
}

void TimerQueue::put(uint32_t place, uint32_t slot) {
  heap_[place] = slot;
  slots_[slot].place = place;
}

void TimerQueue::rise(uint32_t place, Ties ties) {
  const uint32_t slot = heap_[place];
  while (place > 0 && before(slot, heap_[(place - 1) / 2], ties)) {
    put(place, heap_[(place - 1) / 2]);
    place = (place - 1) / 2;
  }
  put(place, slot);
}

void TimerQueue::sink(uint32_t place, Ties ties) {
  const uint32_t slot = heap_[place];
  for (uint32_t child = 2 * place + 1; child < size_; child = 2 * place + 1) {
    if (child + 1 < size_ && before(heap_[child + 1], heap_[child], ties)) ++child;
    if (!before(heap_[child], slot, ties)) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, slot);
}

void TimerQueue::remove(uint32_t place, Ties ties) {
  slots_[heap_[place]].place = none;
  --size_;
  if (place == size_) return;
  const uint32_t moved = heap_[size_];
  put(place, moved);
  sink(place, ties);
  rise(slots_[moved].place, ties);
}

void TimerQueue::set(uint32_t slot, int64_t time_ms, Ties ties) {
  if (slots_.empty() && time_ms == never) return;
  WEIR_ASSERT(slot < slots_.size());
  Slot& timer = slots_[slot];
  if (timer.time_ms == time_ms) return;
  if (timer.place != none) remove(timer.place, ties);
  timer.time_ms = time_ms;
  if (time_ms == never) return;
  put(size_++, slot);
  rise(timer.place, ties);
}

}  // namespace weir
