// Demo: a private broker, simulated sensors and the real agent; a crash on the way; the account at the end. All that it starts
// ends with it. Runs on the thread that made it.
#pragma once

#include <cstdint>

#include "examples/demo/alerts.h"
#include "examples/demo/interrupts.h"
#include "examples/demo/screen.h"
#include "examples/demo/sensors.h"
#include "firmware-tests/support/agent_process.h"
#include "firmware-tests/support/broker.h"
#include "firmware-tests/support/temporary_directory.h"

namespace weir {

class Demo {
 public:
  /// `seconds`: how long the sensors publish; 0: until Ctrl-C.
  Demo(int64_t seconds, Interrupts& interrupts);

  /// Returns the exit code: 0 only if every message is accounted for exactly once.
  int run();

 private:
  bool start();
  void introduce();
  void watch();
  void show_news();
  bool crash_and_recover();
  void show_recovery(const ObservedPipeline& before, const ObservedPipeline& after);
  bool catch_up();
  bool end();
  bool accounts_agree();
  bool complain(const char* what, const char* why);
  template <class Condition>
  bool wait_until(int64_t deadline_ms, Condition condition);
  ObservedPipeline pipeline() const;

  Interrupts& interrupts_;
  int64_t seconds_;
  int64_t crash_at_ms_;
  int64_t start_ms_ = 0;
  int64_t next_account_ms_ = 0;
  bool crashed_ = false;
  ObservedPipeline last_;  // the newest account while the agent lived
  Screen screen_;
  TemporaryDirectory directory_{"weir-demo"};
  Broker broker_;
  AgentProcess agent_;
  std::unique_ptr<Alerts> alerts_;
  std::unique_ptr<Sensors> sensors_;
};

}  // namespace weir
