// SupervisorRules: what `weir supervise` does and when, without doing any of it. It is told what happens to the child and
// answers what is to be done next. The rules are systemd's for Type=notify, Restart=on-failure and WatchdogSec=:
//
//   Waiting --start--> Starting --READY=1--> Running --stop--> Stopping
//      ^                  |        silent       |                 |
//      |                  +-----> Aborting <----+                 | too long: kill
//      |   a failure         abort, then kill                     v
//      +---------------------------+---------------------------> Ended
//
// Pure: time is an argument, in ms of CLOCK_MONOTONIC, which also the strategy gets: while the machine is suspended the child
// does neither beat nor fail. A fixed struct; nothing allocates.
#pragma once

#include <cstdint>

#include "agent/runtime/notify_message.h"
#include "agent/runtime/restart_strategy.h"

namespace weir {

struct SupervisorTimes {
  int64_t watchdog_ms = 30'000;  // 0: a silent child is left alone
  int64_t start_ms = 90'000;     // until READY=1
  int64_t stop_ms = 90'000;      // from SIGTERM to SIGKILL
  int64_t abort_ms = 10'000;     // from SIGABRT to SIGKILL
};

/// How a child ended; `code` or `signal`.
struct ChildEnd {
  int code = 0;
  int signal = 0;
  /// As shells tell it: a signal is 128 and its number.
  int exit_code() const { return signal != 0 ? 128 + signal : code; }
};

class SupervisorRules {
 public:
  enum class Action : uint8_t {
    Wait,       // until next_deadline_ms()
    Start,      // and say so with on_started()
    Terminate,  // SIGTERM
    Abort,      // SIGABRT to the child's group
    Kill,       // SIGKILL to the child's group
    End,        // with exit_code()
  };

  SupervisorRules(const SupervisorTimes& times, RestartStrategy& restarts) : times_(times), restarts_(restarts) {}

  /// Asked after every event and at the deadline, until it says Wait or End.
  Action next(int64_t now_ms);
  int64_t next_deadline_ms() const { return deadline_ms_; }

  void on_started(int64_t now_ms);
  void on_message(const NotifyMessage& message, int64_t now_ms);
  void on_exit(const ChildEnd& end, int64_t now_ms);
  void on_stop(int64_t now_ms);

  /// The end is an orderly one: nobody was given up, and the last child has ended by itself.
  bool orderly() const { return !given_up_ && !forced_; }
  /// Nothing is wrong that a hardware watchdog should answer with a reset.
  bool healthy() const { return state_ != State::Aborting && !given_up_; }
  bool running() const { return state_ == State::Running; }
  bool stopping() const { return stopping_; }
  int exit_code() const { return exit_code_; }
  /// The restart strategy allows no more: the end is no orderly one.
  bool given_up() const { return given_up_; }
  /// How long the next start waits; for the log.
  int64_t delay_ms() const { return delay_ms_; }

 private:
  enum class State : uint8_t { Waiting, Starting, Running, Stopping, Aborting, Ended };
  void enter(State state, int64_t deadline_ms, Action action);
  void abort(int64_t now_ms);

  const SupervisorTimes times_;
  RestartStrategy& restarts_;
  State state_ = State::Waiting;
  Action pending_ = Action::Wait;
  int64_t deadline_ms_ = INT64_MIN;  // a first start is due at once
  int64_t delay_ms_ = 0;
  int exit_code_ = 0;
  bool stopping_ = false;
  bool given_up_ = false;
  bool forced_ = false;  // the child had to be aborted or killed
};

/// Another start would end the same way: a usage error, a wrong configuration, damaged state, a program that cannot be
/// executed.
bool is_final_exit(int code);

}  // namespace weir
