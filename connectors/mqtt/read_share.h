// ReadShare: how many messages a source reads in one go. The reactor serves all pipelines in turn, so what one of them needs
// for its portion is what the others wait: portions shrink until they take no longer than share_ms, and grow again, twofold at
// a time, when they are used up in less. A single message cannot be divided: a pipeline that needs a second for one holds the
// others up for a second.
//
// Value type of a source; no clock, the reactor tells how long a portion took.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weir {

class ReadShare {
 public:
  static constexpr uint32_t reads_max = 256;
  static constexpr int64_t share_ms = 10;

  uint32_t reads() const { return reads_; }
  /// A portion of `count` messages took `ms`.
  void used(uint32_t count, int64_t ms) {
    if (ms > share_ms) {
      reads_ = static_cast<uint32_t>(std::clamp<int64_t>(int64_t{count} * share_ms / ms, 1, reads_max));
    } else if (count >= reads_ && 2 * ms <= share_ms) {
      reads_ = std::min(2 * reads_, reads_max);
    }
  }

 private:
  uint32_t reads_ = reads_max;
};

}  // namespace weir
