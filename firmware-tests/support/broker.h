// Broker: a private mosquitto on a loopback port of its own, with the settings of configs/mosquitto.conf and its persistence
// file in a temporary directory. It can be stopped, killed and started again on the same port, sessions kept. Stopped with
// the object, by pid. Needs mosquitto in PATH or in /usr/sbin.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "agent/base/status.h"
#include "firmware-tests/support/process.h"
#include "firmware-tests/support/temporary_directory.h"

namespace weir {

class Broker {
 public:
  /// `settings` is the file to take settings from; listeners, paths and logging in it are replaced by ours.
  explicit Broker(std::string settings = default_settings());
  ~Broker() = default;

  /// "autosave_on_changes false": takes the place of the same setting in the file. Before start().
  void set(std::string line) { changes_.push_back(std::move(line)); }

  /// Starts it and returns once it accepts connections. The first start chooses the port, later ones keep it. Code::NotFound:
  /// no settings file; Code::Unavailable: it did not come up, see log().
  Status start();
  /// SIGTERM: mosquitto saves its sessions and goes.
  Status stop();
  /// SIGKILL: what it had not saved is lost.
  void kill9() { process_.kill_and_wait(); }
  bool running() { return process_.running(); }

  /// Until a client of this id has subscribed to something since the broker's first start: only then does a message that is
  /// published find it.
  bool wait_for_subscription(const std::string& client_id, int64_t deadline_ms = 10'000);

  uint16_t port() const { return port_; }
  /// "mqtt://127.0.0.1:PORT"
  std::string url() const;
  pid_t pid() const { return process_.pid(); }
  std::string log() const;
  const std::string& directory() const { return directory_.path(); }

  /// configs/mosquitto.conf of this tree.
  static std::string default_settings();
  static std::string program();

 private:
  Status write_config();
  Status start_on_port();

  std::string settings_;
  std::vector<std::string> changes_;
  TemporaryDirectory directory_{"weir-broker"};
  Process process_;
  uint16_t port_ = 0;
};

}  // namespace weir
