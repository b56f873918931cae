// RestartStrategy: whether and when what has failed is started again, by the rules and with the parameters of Apache Flink
// (FixedDelay-, ExponentialDelay- and FailureRateRestartBackoffTimeStrategy, version 1.19). The failure is recorded before the
// question is asked, so that counts include it.
//
// Pure arithmetic on a RestartState, a small fixed struct that its owner keeps, saves and loads; time is an argument, ms of
// CLOCK_BOOTTIME. One strategy per pipeline, or per process that is supervised; no thread of its own, no memory besides the
// struct. A decision costs a few comparisons, and as many multiplications as there were failures without a pause.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "agent/base/bytes.h"

namespace weir {

enum class RestartKind : uint8_t { None, FixedDelay, ExponentialDelay, FailureRate };

/// More failures within an interval than this cannot be told apart by a rule: their times are kept one by one.
constexpr uint32_t restart_failures_max = 100;
/// "No end": of `attempts` of the exponential delay.
constexpr uint64_t restart_attempts_unlimited = UINT64_MAX;

struct RestartRule {
  RestartKind kind = RestartKind::ExponentialDelay;
  uint64_t attempts = restart_attempts_unlimited;  // FixedDelay: in all; ExponentialDelay: since the last quiet time
  int64_t delay_ms = 1000;                         // FixedDelay, FailureRate
  int64_t initial_delay_ms = 1000;                 // ExponentialDelay, as are the four that follow
  int64_t max_delay_ms = 60'000;
  double multiplier = 1.5;
  double jitter = 0.1;                     // of the delay, to both sides
  int64_t reset_threshold_ms = 3'600'000;  // quiet for so long after a restart, the delay begins anew
  /// FailureRate: a failure with this many others in the closed interval before it is the last. ExponentialDelay: weir's
  /// ceiling, so that trying for ever has to be asked for (0: no ceiling). At most restart_failures_max.
  uint32_t failures = 10;
  int64_t interval_ms = 600'000;
};

/// What a strategy remembers. A value; `restart_state_bytes` when saved.
struct RestartState {
  uint64_t failures = 0;        // counted ever, for people
  uint64_t attempts = 0;        // FixedDelay: failures; ExponentialDelay: failures since the last quiet time
  int64_t next_restart_ms = 0;  // of the last decision; meaningful where failures > 0
  bool terminal = false;        // no restart until resume
  uint32_t recent_count = 0;    // of the times below
  uint32_t recent_newest = 0;   // the index of the newest
  std::array<int64_t, restart_failures_max + 1> recent{};  // a ring: when the last failures were
};

/// The state as bytes, of fixed length and the same on every architecture.
constexpr size_t restart_state_bytes = 4 * 8 + 2 * 4 + (restart_failures_max + 1) * 8;
void save_restart_state(const RestartState& state, ByteWriter& out);
/// False: the bytes are not those of a state, which is then as new.
bool load_restart_state(ByteReader& in, RestartState& state);
/// The clock has begun anew: every time in the state becomes `ms` larger.
void shift_restart_state(RestartState& state, int64_t ms);

enum class RestartVerdict : uint8_t {
  Restart,  // at `at_ms`
  Merged,   // a failure before the restart that the one before it had led to: not counted, restart at that time
  Final,    // no restart: recovery is suppressed by the strategy
};

struct RestartDecision {
  RestartVerdict verdict = RestartVerdict::Final;
  int64_t at_ms = 0;
};

class RestartStrategy {
 public:
  /// `seed` sets the jitter apart from that of others: a hash of the name.
  RestartStrategy(const RestartRule& rule, uint64_t seed) : rule_(rule), seed_(seed) {}

  /// Records a failure at `now_ms` and decides. After Final, which is kept in the state, every further one is Final.
  RestartDecision on_failure(int64_t now_ms);
  /// Records a failure that another start would only repeat: Final, whatever the rule allows.
  void give_up(int64_t now_ms);
  /// How long until the restart that was decided on; 0: it is due, or there was no failure.
  int64_t wait_ms(int64_t now_ms) const;
  bool terminal() const { return state_.terminal; }
  /// Somebody has looked at it: begins as new, but goes on counting failures for people.
  void resume();

  const RestartRule& rule() const { return rule_; }
  const RestartState& state() const { return state_; }
  /// Takes back a state that was saved; its times must be of the same clock.
  void set_state(const RestartState& state) { state_ = state; }

 private:
  bool record(int64_t now_ms);
  bool may_restart(int64_t now_ms) const;
  bool within_rate(int64_t now_ms) const;
  int64_t next_delay_ms() const;
  int64_t jitter_ms(double delay_ms) const;

  RestartRule rule_;
  uint64_t seed_;
  RestartState state_;
};

/// "failure-rate", as the configuration calls it.
const char* restart_kind_name(RestartKind kind);
/// False if there is no strategy of that name.
bool restart_kind_named(std::string_view name, RestartKind& kind);

}  // namespace weir
