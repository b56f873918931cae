// One run of torture: a broker, an agent, a publisher that never pauses, a subscriber of the results, and a schedule of
// violence. Everything lives in one temporary directory, which stays when the run fails. run() once.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "firmware-tests/crash/torture_options.h"
#include "firmware-tests/crash/torture_verdict.h"
#include "firmware-tests/support/agent_process.h"
#include "firmware-tests/support/broker.h"
#include "firmware-tests/support/random.h"

namespace weir {

class Torture {
 public:
  explicit Torture(const TortureOptions& options);
  ~Torture();

  /// The exit code: 0 if nothing was lost, doubled or wrongly named.
  int run();

 private:
  enum class Act : uint8_t { Kill, KillDuringStart, Stop, TakeOver };

  bool set_up();
  void publish();
  bool torment();
  bool act(Act act);
  bool die_at_points();
  bool die_at(std::string_view point);
  bool take_over();
  bool restart();
  bool check_recovery();
  bool settle();
  int conclude();
  int fail(const char* what);

  TortureOptions options_;
  TemporaryDirectory directory_{"weir-torture"};
  Broker broker_;
  AgentProcess agent_;
  TortureStream stream_;
  Account account_;  // the publishing thread's until it has ended
  std::unique_ptr<MqttTestPublisher> publisher_;
  std::unique_ptr<MqttSubscriber> results_;
  Random schedule_;
  std::thread publishing_;
  std::atomic<bool> publishing_done_{false};
  std::atomic<uint64_t> published_{0};
  std::atomic<uint64_t> seen_by_agent_{0};
  uint64_t kills_ = 0;
  uint64_t stops_ = 0;
  uint64_t take_overs_ = 0;
  uint64_t newest_checkpoint_[2] = {0, 0};
  bool publisher_failed_ = false;
};

}  // namespace weir
