#include "examples/demo/sensors.h"

#include <cmath>
#include <cstdio>
#include <ctime>
#include <numbers>

#include "firmware-tests/support/wait.h"

namespace weir {
namespace {

constexpr int64_t pause_ms = 5;
constexpr int64_t acknowledged_deadline_ms = 15'000;
constexpr int64_t day_ms = 86'400'000;
constexpr int64_t jitter_ms = 1500;  // less than the pipeline's max_delay: out of order, but not late
constexpr int64_t slowest_ms = 150'000;
constexpr unsigned slow_percent = 3;
constexpr unsigned malformed_percent = 2;
constexpr unsigned out_of_range_percent = 2;

int64_t wall_ms() { return int64_t{time(nullptr)} * 1000; }

std::string numbered(const char* kind, int number) {
  char name[32];
  snprintf(name, sizeof name, "%s-%02d", kind, number);
  return name;
}

}  // namespace

Sensors::Sensors(uint16_t port) : publisher_({.port = port, .client_id = "demo-sensors"}) {
  // Simulated time begins yesterday: it runs faster, and no reading should claim to be from the future.
  begin_ms_ = wall_ms() - day_ms;
  begin_ms_ += Reference::window_ms / 3 - begin_ms_ % Reference::window_ms;
  for (int number = 1; number <= count - 4; ++number)
    devices_.push_back({.name = numbered("room", number), .base_tenths = 205, .swing_tenths = 15, .period_ms = 600'000});
  for (int number = 1; number <= 3; ++number)
    devices_.push_back({.name = numbered("boiler", number), .base_tenths = 740, .swing_tenths = 180, .period_ms = 360'000});
  devices_.push_back({.name = "cellar-01", .base_tenths = 120, .swing_tenths = 5, .period_ms = 600'000});
  for (Device& device : devices_) device.next_ms = begin_ms_ + random_.between(0, reading_every_ms);
  // The slow clock joins when the others have set the time.
  devices_.back().clock_slow = clock_slow_ms;
  devices_.back().next_ms += 2 * reading_every_ms;
}

Status Sensors::start() {
  WEIR_TRY(publisher_.connect());
  thread_ = std::thread([this] { run(); });
  return {};
}

bool Sensors::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
  return publisher_.drain(acknowledged_deadline_ms) && !failed_;
}

void Sensors::run() {
  const int64_t start_ms = monotonic_ms();
  while (!stopping_ && !failed_) {
    const int64_t simulated_ms = begin_ms_ + (monotonic_ms() - start_ms) * time_factor;
    take_readings(simulated_ms);
    publish_due(simulated_ms);
    sleep_ms(pause_ms);
  }
}

void Sensors::take_readings(int64_t until_ms) {
  for (Device& device : devices_) {
    for (; device.next_ms <= until_ms; device.next_ms += reading_every_ms) {
      underway_.push({device.next_ms + delay_ms(), taken_, read(device, device.next_ms)});
      ++taken_;
    }
  }
}

void Sensors::publish_due(int64_t until_ms) {
  for (; !underway_.empty() && underway_.top().due_ms <= until_ms; underway_.pop()) {
    const Reading& reading = underway_.top().reading;
    if (!publisher_.publish("sensors/" + reading.device + "/env", reading.payload).ok()) {
      failed_ = true;
      return;
    }
    reference_.take(reading);
  }
}

/// How long a reading is on its way. Some spend minutes in a device that has lost its radio.
int64_t Sensors::delay_ms() {
  return random_.chance(slow_percent) ? random_.between(jitter_ms, slowest_ms) : random_.between(0, jitter_ms);
}

Reading Sensors::read(const Device& device, int64_t time_ms) {
  const double phase = 2 * std::numbers::pi * static_cast<double>((time_ms - begin_ms_) % device.period_ms) /
                       static_cast<double>(device.period_ms);
  int tenths = device.base_tenths + static_cast<int>(device.swing_tenths * std::sin(phase));
  tenths += static_cast<int>(random_.between(-5, 5));
  // What a broken wire reads.
  if (random_.chance(out_of_range_percent)) tenths = random_.chance(50) ? -2000 : 8500;
  Reading reading;
  reading.device = device.name;
  reading.time_ms = time_ms - device.clock_slow;
  reading.temperature = tenths / 10.0;
  reading.malformed = random_.chance(malformed_percent);
  write_payload(reading);
  return reading;
}

void Sensors::write_payload(Reading& reading) {
  char text[96];
  const auto time_ms = static_cast<long long>(reading.time_ms);
  snprintf(text, sizeof text, R"({"temperature":%.1f,"ts":%lld})", reading.temperature, time_ms);
  reading.payload = text;
  if (!reading.malformed) return;
  switch (random_.below(4)) {
    case 0:  // cut off on the way
      reading.payload.resize(reading.payload.size() / 2);
      break;
    case 1:  // a text for a number
      snprintf(text, sizeof text, R"({"temperature":"warm","ts":%lld})", time_ms);
      reading.payload = text;
      break;
    case 2:  // no time
      snprintf(text, sizeof text, R"({"temperature":%.1f})", reading.temperature);
      reading.payload = text;
      break;
    default:
      reading.payload.clear();
  }
}

}  // namespace weir
