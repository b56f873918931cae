// Reference: what configs/overheat.toml has to make of the readings, worked out in the slow, obvious way while they are
// published: every window of every sensor in a map, every rule spelt out. The agent's account and its alerts are compared with
// it at the end. Used by the sensors' thread until that has ended.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace weir {

/// One message that a simulated sensor publishes.
struct Reading {
  std::string device;
  int64_t time_ms = 0;  // when it was taken, by the sensor's clock
  double temperature = 0;
  bool malformed = false;  // then the payload says something else, or nothing
  std::string payload;
};

/// One result of the pipeline: a minute of a sensor that was too hot.
struct Alert {
  std::string device;
  int64_t window_start_ms = 0;
  double max_temperature = 0;
  double mean_temperature = 0;  // the reference leaves it out: sums of floats depend on the order
  uint64_t readings = 0;

  /// The same window with the same maximum and the same number of readings.
  bool same_result(const Alert& other) const;
};

/// What has to become of the messages.
struct ExpectedAccount {
  uint64_t applied = 0;
  uint64_t filtered = 0;
  uint64_t late = 0;
  uint64_t dead_lettered = 0;
};

class Reference {
 public:
  /// Readings in the order in which the broker gets them.
  void take(const Reading& reading);

  const ExpectedAccount& account() const { return account_; }
  /// Of the windows that the readings so far have closed, in the order in which they close.
  const std::vector<Alert>& alerts() const { return alerts_; }

  static constexpr int64_t window_ms = 60'000;
  static constexpr int64_t max_delay_ms = 2000;
  static constexpr double lowest = -40;
  static constexpr double highest = 125;
  static constexpr double too_hot = 80;

 private:
  void close_windows();

  ExpectedAccount account_;
  std::map<std::pair<int64_t, std::string>, Alert> open_;  // by window's start and device
  std::vector<Alert> alerts_;
  int64_t watermark_ms_ = INT64_MIN;
};

}  // namespace weir
