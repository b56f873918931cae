#include "connectors/mqtt/backoff.h"

#include <algorithm>

#include "agent/base/hash.h"

namespace weir {
namespace {

constexpr int64_t first_ms = 1000;
constexpr int64_t longest_ms = 60000;
constexpr int64_t loss_ms = 100;
constexpr int64_t loss_spread_ms = 201;  // 100 to 300 ms inclusive

}  // namespace

int64_t Backoff::after_loss_ms() {
  reset();
  return loss_ms + jitter(loss_spread_ms);
}

int64_t Backoff::after_contest_ms(int64_t held_ms) {
  if (held_ms >= uncontested_ms) contests_ = 0;
  const uint32_t before = contests_++;
  if (before == 0) return after_loss_ms();
  reset();
  return doubled_ms(before - 1);
}

int64_t Backoff::after_failure_ms() { return doubled_ms(failures_++); }

int64_t Backoff::doubled_ms(uint32_t times) {
  int64_t delay = std::min(longest_ms, first_ms << std::min(times, 6U));
  int64_t spread = delay / 5;
  return delay - spread + jitter(2 * spread + 1);
}

int64_t Backoff::jitter(int64_t bound) {
  uint64_t draw = draws_++;
  uint64_t hash = hash64({reinterpret_cast<const uint8_t*>(&draw), sizeof draw}, seed_);
  return static_cast<int64_t>(hash % static_cast<uint64_t>(bound));
}

}  // namespace weir
