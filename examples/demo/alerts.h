// Alerts: subscribes to what the pipeline publishes, as a consumer would, with a session that the broker keeps. Each result is
// known by its `weir-id`: one that comes again must say the same. Any thread; messages come in on the client's own.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "examples/demo/reference.h"
#include "firmware-tests/support/mqtt_test_client.h"

namespace weir {

class Alerts {
 public:
  explicit Alerts(uint16_t port);
  ~Alerts() { subscriber_.stop(); }

  /// Connects and subscribes to alerts/#. Code::Unavailable: no broker there.
  Status start();
  /// Those that came since the last call, each id once.
  std::vector<Alert> take_new();
  uint64_t distinct() const;
  /// Deliveries of an id that was there already, with the same payload: what at-least-once publishing allows.
  uint64_t repeated() const;
  /// What must never happen: an id with another payload than before, no id, a payload that cannot be read.
  uint64_t wrong() const;
  /// Whether exactly these results have arrived, each of them once by its id.
  bool equal(const std::vector<Alert>& expected) const;

 private:
  void on_message(const ReceivedMessage& message);

  mutable std::mutex mutex_;
  std::map<std::string, std::string> payload_of_;  // by weir-id
  std::vector<Alert> all_;
  size_t taken_ = 0;
  uint64_t repeated_ = 0;
  uint64_t wrong_ = 0;
  MqttSubscriber subscriber_;  // last: its thread must end first
};

}  // namespace weir
