// Supervisor: a parent for machines without systemd. It starts a program that speaks systemd's protocol, listens to it, starts
// it again when it fails, kills it when it falls silent, and lets a hardware watchdog reset the machine when that does not
// help. SupervisorRules decides; here is what touches processes, signals, sockets and devices. One thread, one poll loop;
// everything that the loop needs is prepared before it, so nothing allocates in it.
#pragma once

#include <sys/types.h>

#include <array>
#include <string>
#include <vector>

#include "agent/base/status.h"
#include "agent/runtime/hardware_watchdog.h"
#include "agent/runtime/supervisor_rules.h"
#include "agent/runtime/watchdog_settings.h"

namespace weir {

struct SupervisorOptions {
  SupervisorTimes times;
  std::string watchdog_device;  // empty: none
  int64_t watchdog_device_ms = 30'000;
  std::vector<std::string> command;  // the program first; looked up in PATH if it has no slash
};

class Supervisor {
 public:
  Supervisor(SupervisorOptions options, RestartStrategy& restarts);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Prepares sockets, signals and the child's environment. The calling process should have only one thread.
  Status open();
  /// Until the end; returns the exit code, which is the child's.
  int run();

 private:
  Status open_socket();
  Status open_signals();
  void prepare_child();
  void act();
  bool do_action(SupervisorRules::Action action, int64_t now_ms);
  void start_child(int64_t now_ms);
  [[noreturn]] void become_child() const;
  void signal_child(int number, bool group) const;
  void wait_for_something();
  void take_messages(int64_t now_ms);
  void take_message(std::string_view text, int64_t now_ms);
  void take_signals(int64_t now_ms);
  void reap(int64_t now_ms);
  void tell_end(const ChildEnd& end) const;
  void pet(int64_t now_ms);
  void tell_manager(int64_t now_ms);
  void arm_device();

  SupervisorOptions options_;
  SupervisorRules rules_;
  HardwareWatchdog device_;
  WatchdogSettings above_;  // what our own service manager wants
  std::array<char, 64> socket_name_{};
  std::vector<std::string> environment_text_;
  std::vector<char*> environment_;  // of the child, nullptr last
  std::vector<char*> arguments_;    // likewise
  std::array<char, 40> pid_text_{};
  int socket_ = -1;
  int signals_ = -1;
  pid_t child_ = 0;
  bool over_ = false;
  bool ready_told_ = false;
  bool device_refused_ = false;
  int64_t petted_ms_ = INT64_MIN;
  int64_t told_ms_ = INT64_MIN;
};

}  // namespace weir
