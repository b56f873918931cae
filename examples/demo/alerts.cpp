#include "examples/demo/alerts.h"

#include <simdjson.h>

#include <algorithm>
#include <tuple>

namespace weir {
namespace {

bool parse(const std::string& payload, Alert& alert) {
  simdjson::dom::parser parser;
  simdjson::dom::element json;
  std::string_view device;
  if (parser.parse(payload).get(json) != simdjson::SUCCESS) return false;
  const bool complete =
      json["device"].get(device) == simdjson::SUCCESS && json["window_start"].get(alert.window_start_ms) == simdjson::SUCCESS &&
      json["max_t"].get(alert.max_temperature) == simdjson::SUCCESS &&
      json["avg_t"].get(alert.mean_temperature) == simdjson::SUCCESS && json["n"].get(alert.readings) == simdjson::SUCCESS;
  alert.device = device;
  return complete;
}

std::vector<Alert> by_window(std::vector<Alert> alerts) {
  std::ranges::sort(alerts, [](const Alert& left, const Alert& right) {
    return std::tie(left.window_start_ms, left.device) < std::tie(right.window_start_ms, right.device);
  });
  return alerts;
}

}  // namespace

Alerts::Alerts(uint16_t port) : subscriber_({.port = port, .client_id = "demo-alerts", .persistent = true}) {
  subscriber_.set_handler([this](const ReceivedMessage& message) { on_message(message); });
}

Status Alerts::start() {
  WEIR_TRY(subscriber_.connect());
  return subscriber_.subscribe("alerts/#");
}

void Alerts::on_message(const ReceivedMessage& message) {
  const std::lock_guard lock(mutex_);
  if (const auto known = payload_of_.find(message.weir_id); known != payload_of_.end()) {
    uint64_t& counter = known->second == message.payload ? repeated_ : wrong_;
    ++counter;
    return;
  }
  Alert alert;
  if (message.weir_id.empty() || !parse(message.payload, alert)) {
    ++wrong_;
    return;
  }
  payload_of_.emplace(message.weir_id, message.payload);
  all_.push_back(std::move(alert));
}

std::vector<Alert> Alerts::take_new() {
  const std::lock_guard lock(mutex_);
  std::vector<Alert> result(all_.begin() + static_cast<std::ptrdiff_t>(taken_), all_.end());
  taken_ = all_.size();
  return result;
}

uint64_t Alerts::distinct() const {
  const std::lock_guard lock(mutex_);
  return all_.size();
}

uint64_t Alerts::repeated() const {
  const std::lock_guard lock(mutex_);
  return repeated_;
}

uint64_t Alerts::wrong() const {
  const std::lock_guard lock(mutex_);
  return wrong_;
}

bool Alerts::equal(const std::vector<Alert>& expected) const {
  const std::lock_guard lock(mutex_);
  return wrong_ == 0 && std::ranges::equal(by_window(all_), by_window(expected),
                                           [](const Alert& left, const Alert& right) { return left.same_result(right); });
}

}  // namespace weir
