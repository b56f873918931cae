// WorkMark: what a pipeline has in its hands, for whoever looks from another thread when it seems to be stuck. Owned by the
// agent, so that it outlives every pipeline; written by the reactor thread, two relaxed stores per message.
#pragma once

#include <atomic>
#include <cstdint>

namespace weir {

class WorkMark {
 public:
  /// A message with this offset is being worked at.
  void begin(uint64_t offset) {
    offset_.store(offset, std::memory_order_relaxed);
    busy_.store(true, std::memory_order_relaxed);
  }
  void end() { busy_.store(false, std::memory_order_relaxed); }

  bool busy() const { return busy_.load(std::memory_order_relaxed); }
  /// Of the message in hand, or of the last one; 0: there was none.
  uint64_t offset() const { return offset_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> offset_{0};
  std::atomic<bool> busy_{false};
};

}  // namespace weir
