// The operator path alone, on one core: messages from memory, decoded with full validation, filtered, aggregated per device and
// second in checkpointable state, results counted. One line per number of devices: nanoseconds per message (the best of several
// rounds, for machines are shared), messages per second, heap allocations per message.
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/heap_guard.h"
#include "agent/operators/filter.h"
#include "agent/operators/watermark.h"
#include "agent/operators/window_aggregate.h"
#include "connectors/codecs/json_decoder.h"

using namespace weir;

namespace {

constexpr size_t messages = 200'000;
constexpr int rounds = 7;

struct CountingSink final : Operator, RefusalHandler {
  Schema none;
  uint64_t results = 0;
  std::string_view id() const override { return "sink"; }
  const Schema& schema() const override { return none; }
  Outcome process(const Record&) override {
    ++results;
    return Outcome::Applied;
  }
  void on_refused(const Record&, const Schema&, std::string_view, Refusal) override {}
};

struct Stored {
  std::string topic;
  std::vector<uint8_t> payload;
  size_t size = 0;
};

/// 105 bytes of JSON each, one millisecond apart, over `devices` devices.
std::vector<Stored> make_messages(size_t devices) {
  std::vector<Stored> all(messages);
  for (size_t index = 0; index < messages; ++index) {
    char text[256];
    int size = snprintf(text, sizeof text,
                        R"({"ts":%lld,"temperature":%.2f,"humidity":%.1f,"battery":%d,"firmware":"1.14.2-rc3","status":"ok"})",
                        1'700'000'000'000LL + static_cast<long long>(index), 20 + static_cast<double>(index % 5000) / 100,
                        40 + static_cast<double>(index % 300) / 10, static_cast<int>(index % 100));
    Stored& stored = all[index];
    stored.topic = "sensors/device-" + std::to_string(index % devices) + "/env";
    stored.size = static_cast<size_t>(size);
    stored.payload.assign(text, text + size);
    stored.payload.resize(stored.size + payload_padding);
  }
  return all;
}

std::vector<SourceField> source_fields() {
  SourceField device;
  device.field = {"device", Type::String, default_string_length};
  device.origin = FieldOrigin::TopicSegment;
  device.topic_segment = 1;
  SourceField temperature;
  temperature.field = {"temperature", Type::Float, 0};
  temperature.path = {{"temperature", -1}};
  SourceField ts;
  ts.field = {"ts", Type::Time, 0};
  ts.path = {{"ts", -1}};
  return {device, temperature, ts};
}

std::unique_ptr<WindowAggregate> make_window(const Schema& input, Arena& arena) {
  WindowSpec spec;
  spec.id = "per-second";
  spec.key_fields = {0};
  spec.windows = {1000, 0};
  spec.max_delay_ms = 100;
  spec.max_keys = 2000;
  for (const auto& [name, text] : std::array<std::pair<const char*, const char*>, 3>{
           {{"n", "count()"}, {"avg_t", "avg(temperature)"}, {"max_t", "max(temperature)"}}}) {
    std::vector<ExpressionError> errors;
    AggregateCall call;
    Aggregation aggregation;
    WEIR_ASSERT(compile_aggregate_call(text, input, call, errors));
    WEIR_ASSERT(make_aggregation(name, text, std::move(call), aggregation, errors));
    spec.aggregates.push_back(std::move(aggregation));
  }
  return std::make_unique<WindowAggregate>(std::move(spec), input, arena, "bench");
}

struct Measured {
  double ns_per_message = 0;
  uint64_t results = 0;
  uint64_t allocations = 0;
};

Measured run_round(const std::vector<Stored>& stored) {
  Arena arena;
  JsonDecoder decoder(source_fields(), 65536);
  std::vector<ExpressionError> errors;
  Program condition;
  WEIR_ASSERT(compile_expression("temperature between -40 and 125", decoder.schema(), Type::Bool, condition, errors));
  Filter filter("filter", std::move(condition), decoder.schema());
  std::unique_ptr<WindowAggregate> window = make_window(decoder.schema(), arena);
  CountingSink sink;
  filter.connect(window.get(), &sink);
  window->connect(&sink, &sink);
  WatermarkTracker watermark(100, 0);
  std::array<Value, 3> row;
  heap_guard_arm();
  auto start = std::chrono::steady_clock::now();
  for (size_t index = 0; index < stored.size(); ++index) {
    Message message;
    message.topic = stored[index].topic;
    message.payload = {stored[index].payload.data(), stored[index].size};
    message.offset = index + 1;
    WEIR_ASSERT(decoder.decode(message, row).reason == nullptr);
    Record record{row, row[2].as_int(), message.offset, false, message.offset};
    filter.process(record);
    watermark.on_record(record.event_time_ms);
    WEIR_ASSERT(window->advance(watermark.watermark()));
  }
  auto end = std::chrono::steady_clock::now();
  heap_guard_disarm();
  double ns = std::chrono::duration<double, std::nano>(end - start).count();
  return {ns / static_cast<double>(stored.size()), sink.results, heap_allocations(HeapOwner::Weir)};
}

}  // namespace

int main() {
  for (size_t devices : std::array<size_t, 3>{10, 100, 1000}) {
    std::vector<Stored> stored = make_messages(devices);
    Measured best = run_round(stored);
    for (int round = 1; round < rounds; ++round)
      if (Measured next = run_round(stored); next.ns_per_message < best.ns_per_message) best = next;
    printf("operator path, %4zu devices: %6.1f ns/message, %5.2f M messages/s, %.4f allocations/message, %llu results\n",
           devices, best.ns_per_message, 1000 / best.ns_per_message,
           static_cast<double>(best.allocations) / static_cast<double>(messages),
           static_cast<unsigned long long>(best.results));
  }
  return 0;
}
