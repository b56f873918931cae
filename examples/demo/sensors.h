// Sensors: 25 simulated devices that publish temperatures to sensors/DEVICE/env, as a building full of them would: with jitter,
// some readings far too late, some out of range, some broken, and one device whose clock is hours slow. Simulated time runs
// faster than real time, so that one-minute windows close before one's eyes. One connection, QoS 1, a thread of its own.
#pragma once

#include <atomic>
#include <memory>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "examples/demo/reference.h"
#include "firmware-tests/support/mqtt_test_client.h"
#include "firmware-tests/support/random.h"

namespace weir {

class Sensors {
 public:
  /// Publishes to the broker on this loopback port.
  explicit Sensors(uint16_t port);
  ~Sensors() { stop(); }

  /// Connects and begins to publish. Code::Unavailable: no broker there.
  Status start();
  /// Ends the publishing and waits until the broker has acknowledged all of it; false if it does not. What is still under way
  /// in the simulated field is never published. Harmless when called again.
  bool stop();

  uint64_t published() const { return publisher_.sent(); }
  uint64_t acknowledged() const { return publisher_.acknowledged(); }
  /// Whether the broker refused something or went away.
  bool failed() const { return failed_; }
  /// After stop().
  const Reference& reference() const { return reference_; }

  static constexpr int count = 25;
  static constexpr int64_t time_factor = 30;         // simulated milliseconds per real one
  static constexpr int64_t reading_every_ms = 3000;  // simulated, of each sensor
  static constexpr int64_t clock_slow_ms = 3 * 3'600'000;

 private:
  struct Device {
    std::string name;
    int base_tenths = 0;     // of a degree
    int swing_tenths = 0;    // up to this much above and below
    int64_t period_ms = 0;   // of one swing, simulated
    int64_t clock_slow = 0;  // ms
    int64_t next_ms = 0;     // its next reading, simulated
  };
  struct Underway {
    int64_t due_ms = 0;  // when it reaches the broker, simulated
    uint64_t sequence = 0;
    Reading reading;
    bool operator>(const Underway& other) const {
      return due_ms != other.due_ms ? due_ms > other.due_ms : sequence > other.sequence;
    }
  };

  void run();
  void take_readings(int64_t until_ms);
  void publish_due(int64_t until_ms);
  Reading read(const Device& device, int64_t time_ms);
  void write_payload(Reading& reading);
  int64_t delay_ms();

  MqttTestPublisher publisher_;
  Random random_{25};  // the same building every time
  Reference reference_;
  std::vector<Device> devices_;
  std::priority_queue<Underway, std::vector<Underway>, std::greater<>> underway_;
  uint64_t taken_ = 0;
  int64_t begin_ms_ = 0;  // simulated
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> failed_{false};
};

}  // namespace weir
