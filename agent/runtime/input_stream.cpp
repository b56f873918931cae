#include "agent/runtime/input_stream.h"

#include <algorithm>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/model/topic_match.h"

namespace weir {
namespace {

constexpr int64_t suspicious_ahead_ms = 3'600'000;

}  // namespace

InputStream::InputStream(InputParts parts, Arena& arena, std::string_view pool)
    : parts_(std::move(parts)),
      tracker_(parts_.max_delay_ms, parts_.idle_ms),
      row_(arena.take<Value>(schema().size(), std::string(pool) + ".record", "one decoded record")) {
  if (parts_.clock_field >= 0)
    clocks_ = std::make_unique<DeviceClocks>(schema(), static_cast<uint32_t>(parts_.clock_field), parts_.devices_max,
                                             parts_.max_delay_ms, parts_.idle_ms, arena, std::string(pool) + ".clocks");
}

bool InputStream::takes(std::string_view topic) const {
  return std::ranges::any_of(parts_.topics, [&](const std::string& filter) { return topic_matches(filter, topic); });
}

Refusal InputStream::read(const Message& message, Record& record) {
  if (Refusal refusal = parts_.decoder->decode(message, row_); refusal.reason != nullptr) return refusal;
  record.values = row_;
  record.event_time_ms = message.arrival_ms;
  record.offset = message.offset;
  record.identity = message.offset;
  if (parts_.event_time_field >= 0) {
    const Value& time = row_[static_cast<size_t>(parts_.event_time_field)];
    if (time.is_null()) return {"event-time", "the event time is missing or null"};
    if (!WatermarkTracker::usable(time.as_int())) return {"event-time", "the event time is outside of what windows can hold"};
    if (too_far_ahead(time.as_int(), message))
      return {"event-time", "the event time is further ahead of this machine's clock than max_future"};
    record.event_time_ms = time.as_int();
  }
  if (clocks_ == nullptr) return {};
  record.clock = clocks_->clock_of(row_);
  if (record.clock == DeviceClocks::none) return {"capacity", "all event_time.max_devices clocks are taken"};
  return {};
}

/// A watermark never goes back, so one reading from the future would make all later ones late.
bool InputStream::too_far_ahead(int64_t event_time_ms, const Message& message) {
  if (message.arrival_ms < parts_.earliest_arrival_ms || event_time_ms <= message.arrival_ms) return false;
  if (parts_.max_future_ms > 0) return event_time_ms - parts_.max_future_ms > message.arrival_ms;
  if (warned_of_future_ || event_time_ms - suspicious_ahead_ms <= message.arrival_ms) return false;
  warned_of_future_ = true;
  log(LogLevel::Warning,
      "%s: an event time on %.*s is %lld minutes ahead of this machine's clock; what comes after it with a right clock is "
      "late. "
      "event_time.max_future sets such readings aside",
      parts_.pipeline.c_str(), static_cast<int>(std::min<size_t>(message.topic.size(), 200)), message.topic.data(),
      static_cast<long long>((event_time_ms - message.arrival_ms) / 60'000));
  return false;
}

void InputStream::on_record(const Record& record, int64_t boot_ms) {
  tracker_.on_record(record.event_time_ms);
  if (clocks_) clocks_->on_record(record.clock, record.event_time_ms, boot_ms);
}

bool InputStream::check_idle(int64_t boot_ms) {
  const bool was_idle = idle_;
  idle_ = tracker_.idle(boot_ms);
  const bool moved = clocks_ && clocks_->check_idle(boot_ms);
  return idle_ != was_idle || moved;
}

}  // namespace weir
