#include "agent/runtime/supervisor_rules.h"

#include <algorithm>
#include <array>
#include <utility>

namespace weir {
namespace {

/// EX_USAGE, EX_DATAERR and EX_CONFIG of sysexits(3); what shells and execvp(3) callers return for programs that are not to be
/// executed, or are not there.
constexpr std::array final_exits = {64, 65, 78, 126, 127};

}  // namespace

bool is_final_exit(int code) { return std::ranges::find(final_exits, code) != final_exits.end(); }

void SupervisorRules::enter(State state, int64_t deadline_ms, Action action) {
  state_ = state;
  deadline_ms_ = deadline_ms;
  pending_ = action;
}

SupervisorRules::Action SupervisorRules::next(int64_t now_ms) {
  if (pending_ != Action::Wait) return std::exchange(pending_, Action::Wait);
  if (state_ == State::Ended) return Action::End;
  if (now_ms < deadline_ms_) return Action::Wait;
  deadline_ms_ = INT64_MAX;
  switch (state_) {
    case State::Waiting:
      return Action::Start;
    case State::Starting:
    case State::Running:
      abort(now_ms);
      return std::exchange(pending_, Action::Wait);
    default:
      forced_ = true;
      return Action::Kill;
  }
}

void SupervisorRules::on_started(int64_t now_ms) {
  forced_ = false;
  enter(State::Starting, now_ms + times_.start_ms, Action::Wait);
}

void SupervisorRules::on_message(const NotifyMessage& message, int64_t now_ms) {
  if (message.hopeless && (state_ == State::Starting || state_ == State::Running)) return abort(now_ms);
  const int64_t watched_until_ms = times_.watchdog_ms > 0 ? now_ms + times_.watchdog_ms : INT64_MAX;
  if (state_ == State::Starting && message.ready) enter(State::Running, watched_until_ms, Action::Wait);
  if (state_ == State::Running && message.alive) deadline_ms_ = watched_until_ms;
  const bool has_time_limit = state_ == State::Starting || state_ == State::Stopping;
  if (has_time_limit && deadline_ms_ != INT64_MAX && message.extend_ms > 0)
    deadline_ms_ = std::max(deadline_ms_, now_ms + message.extend_ms);
}

void SupervisorRules::on_exit(const ChildEnd& end, int64_t now_ms) {
  exit_code_ = end.exit_code();
  const bool in_order = end.signal == 0 && end.code == 0;
  if (stopping_ || in_order || (end.signal == 0 && is_final_exit(end.code)))
    return enter(State::Ended, INT64_MAX, Action::Wait);
  const RestartDecision decision = restarts_.on_failure(now_ms);
  given_up_ = decision.verdict == RestartVerdict::Final;
  if (given_up_) return enter(State::Ended, INT64_MAX, Action::Wait);
  delay_ms_ = std::max<int64_t>(decision.at_ms - now_ms, 0);
  enter(State::Waiting, now_ms + delay_ms_, Action::Wait);
}

void SupervisorRules::on_stop(int64_t now_ms) {
  if (std::exchange(stopping_, true)) return;
  if (state_ == State::Waiting) return enter(State::Ended, INT64_MAX, Action::Wait);
  if (state_ == State::Starting || state_ == State::Running) enter(State::Stopping, now_ms + times_.stop_ms, Action::Terminate);
}

void SupervisorRules::abort(int64_t now_ms) {
  forced_ = true;
  enter(State::Aborting, now_ms + times_.abort_ms, Action::Abort);
}

}  // namespace weir
