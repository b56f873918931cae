#include "agent/runtime/restart_strategy.h"

#include <algorithm>
#include <array>

#include "agent/base/hash.h"

namespace weir {
namespace {

constexpr std::array<const char*, 4> names = {"none", "fixed-delay", "exponential-delay", "failure-rate"};
/// Delays beyond this are beyond any limit that can be set; a product stops growing before it is no integer any more.
constexpr double delay_ms_beyond = 1e15;

}  // namespace

RestartDecision RestartStrategy::on_failure(int64_t now_ms) {
  if (state_.terminal) return {};
  if (!record(now_ms)) return {RestartVerdict::Merged, state_.next_restart_ms};
  if (!may_restart(now_ms)) {
    state_.terminal = true;
    return {};
  }
  return {RestartVerdict::Restart, state_.next_restart_ms};
}

void RestartStrategy::give_up(int64_t now_ms) {
  record(now_ms);
  state_.terminal = true;
}

/// False: the failure belongs to the one before.
bool RestartStrategy::record(int64_t now_ms) {
  const bool any = state_.recent_count > 0;
  if (rule_.kind == RestartKind::ExponentialDelay) {
    if (any && now_ms <= state_.next_restart_ms) return false;
    // Measured from the restart, not from the failure.
    if (any && now_ms - state_.next_restart_ms >= rule_.reset_threshold_ms) state_.attempts = 0;
  }
  const int64_t delay_ms = rule_.kind == RestartKind::ExponentialDelay ? next_delay_ms() : rule_.delay_ms;
  state_.next_restart_ms = now_ms + delay_ms;
  ++state_.attempts;
  ++state_.failures;
  state_.recent_newest = (state_.recent_newest + 1) % static_cast<uint32_t>(state_.recent.size());
  state_.recent[state_.recent_newest] = now_ms;
  state_.recent_count = std::min(state_.recent_count + 1, static_cast<uint32_t>(state_.recent.size()));
  return true;
}

bool RestartStrategy::may_restart(int64_t now_ms) const {
  switch (rule_.kind) {
    case RestartKind::None:
      return false;
    case RestartKind::FixedDelay:
      return state_.attempts <= rule_.attempts;
    case RestartKind::ExponentialDelay:
      return state_.attempts <= rule_.attempts && (rule_.failures == 0 || within_rate(now_ms));
    case RestartKind::FailureRate:
      return within_rate(now_ms);
  }
  return false;
}

/// Whether at most `failures` lie in the closed interval that ends now; the newest failure is among those recorded.
bool RestartStrategy::within_rate(int64_t now_ms) const {
  const uint32_t limit = std::min(rule_.failures, restart_failures_max);
  if (state_.recent_count <= limit) return true;
  const uint32_t size = static_cast<uint32_t>(state_.recent.size());
  const int64_t before_ms = state_.recent[(state_.recent_newest + size - limit) % size];
  return now_ms - before_ms > rule_.interval_ms;
}

int64_t RestartStrategy::next_delay_ms() const {
  double delay_ms = static_cast<double>(rule_.initial_delay_ms);
  for (uint64_t each = 0; each < state_.attempts && delay_ms < delay_ms_beyond; ++each) delay_ms *= rule_.multiplier;
  delay_ms = std::min(delay_ms, delay_ms_beyond);
  const int64_t drawn_ms = static_cast<int64_t>(delay_ms) + jitter_ms(delay_ms);
  return std::max(rule_.initial_delay_ms, std::min(drawn_ms, rule_.max_delay_ms));
}

/// A whole number from -floor(delay x jitter) to +floor(delay x jitter), each as likely.
int64_t RestartStrategy::jitter_ms(double delay_ms) const {
  const int64_t most_ms = static_cast<int64_t>(delay_ms * rule_.jitter);
  const uint64_t draw = hash_chain(seed_, state_.failures);
  return static_cast<int64_t>(draw % static_cast<uint64_t>(2 * most_ms + 1)) - most_ms;
}

int64_t RestartStrategy::wait_ms(int64_t now_ms) const {
  return state_.recent_count == 0 ? 0 : std::max<int64_t>(0, state_.next_restart_ms - now_ms);
}

void RestartStrategy::resume() {
  const uint64_t failures = state_.failures;
  state_ = {};
  state_.failures = failures;
}

void shift_restart_state(RestartState& state, int64_t ms) {
  state.next_restart_ms += ms;
  for (int64_t& each : state.recent) each += ms;
}

void save_restart_state(const RestartState& state, ByteWriter& out) {
  out.put(state.failures);
  out.put(state.attempts);
  out.put(state.next_restart_ms);
  out.put(uint64_t{state.terminal});
  out.put(state.recent_count);
  out.put(state.recent_newest);
  for (const int64_t each : state.recent) out.put(each);
}

bool load_restart_state(ByteReader& in, RestartState& state) {
  state.failures = in.get<uint64_t>();
  state.attempts = in.get<uint64_t>();
  state.next_restart_ms = in.get<int64_t>();
  const uint64_t terminal = in.get<uint64_t>();
  state.terminal = terminal != 0;
  state.recent_count = in.get<uint32_t>();
  state.recent_newest = in.get<uint32_t>();
  for (int64_t& each : state.recent) each = in.get<int64_t>();
  const bool sound =
      in.ok() && terminal <= 1 && state.recent_count <= state.recent.size() && state.recent_newest < state.recent.size();
  if (!sound) state = {};
  return sound;
}

const char* restart_kind_name(RestartKind kind) { return names[static_cast<size_t>(kind)]; }

bool restart_kind_named(std::string_view name, RestartKind& kind) {
  const auto* found = std::ranges::find(names, name);
  if (found == names.end()) return false;
  kind = static_cast<RestartKind>(found - names.begin());
  return true;
}

}  // namespace weir
