// The engine alone, on one core: messages from memory through the graph that a pipeline runs, from decoding with full
// validation to results that are counted. The first lines are the budget of DESIGN section 12: a filter and a window of one
// second per device, by number of devices. Then a line for each example of the documentation: every step and every kind of
// window, 100 devices. Nanoseconds per message (the best of several rounds, for machines are shared), messages per second, heap
// allocations and results per message, bytes of state per key as reserved.
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "agent/base/heap_guard.h"
#include "agent/operators/steps.h"
#include "firmware-tests/support/docs_examples.h"
#include "firmware-tests/support/operator_probe.h"
#include "firmware-tests/support/step_rig.h"

using namespace weir;

namespace {

constexpr const char* budget_steps = R"toml(
[pipeline.source]
mqtt = "local"
topics = ["sensors/+/env"]
format = "json"
fields = { device = "topic[1]", temperature = "float", ts = "time(ms)" }
event_time = { field = "ts", max_delay = "100ms" }
[[pipeline.step]]
filter = "temperature between -40 and 125"
[[pipeline.step]]
id = "per-second"
key_by = ["device"]
window = { tumbling = "1s" }
aggregate = { n = "count()", avg_t = "avg(temperature)", max_t = "max(temperature)" }
max_keys = 2000
)toml";

struct Stored {
  std::string topic;
  std::vector<uint8_t> payload;
  size_t size = 0;
};

void add(std::vector<Stored>& all, std::string topic, const std::string& text) {
  Stored& stored = all.emplace_back();
  stored.topic = std::move(topic);
  stored.size = text.size();
  stored.payload.assign(text.begin(), text.end());
  stored.payload.resize(stored.size + payload_padding);
}

/// 105 bytes of JSON each, one millisecond apart, over `devices` devices.
std::vector<Stored> budget_messages(size_t devices) {
  constexpr size_t messages = 200'000;
  std::vector<Stored> all;
  all.reserve(messages);
  for (size_t index = 0; index < messages; ++index) {
    char text[256];
    snprintf(text, sizeof text,
             R"({"ts":%lld,"temperature":%.2f,"humidity":%.1f,"battery":%d,"firmware":"1.14.2-rc3","status":"ok"})",
             1'700'000'000'000LL + static_cast<long long>(index), 20 + static_cast<double>(index % 5000) / 100,
             40 + static_cast<double>(index % 300) / 10, static_cast<int>(index % 100));
    add(all, "sensors/device-" + std::to_string(index % devices) + "/env", text);
  }
  return all;
}

/// Puts `value` in the place of the member's value, if the text has the member.
void replace_member(std::string& text, const std::string& name, const std::string& value) {
  const size_t at = text.find("\"" + name + "\":");
  if (at == std::string::npos) return;
  const size_t begin = at + name.size() + 3;
  text.replace(begin, text.find_first_of(",}", begin) - begin, value);
}

/// The example's own lines again and again, 10 ms apart, from 100 devices.
std::vector<Stored> example_messages(const test::DocsExample& example) {
  constexpr size_t messages = 50'000;
  std::vector<std::string> lines;
  for (size_t at = 0; at < example.input.size(); at = example.input.find('\n', at) + 1)
    lines.push_back(example.input.substr(at, example.input.find('\n', at) - at));
  std::vector<Stored> all;
  all.reserve(messages);
  for (size_t index = 0; index < messages && !lines.empty(); ++index) {
    std::string text = lines[index % lines.size()];
    std::string topic = "sensors/bench";
    if (!text.starts_with('{')) {
      topic = text.substr(0, text.find(' '));
      text = text.substr(text.find(' ') + 1);
    }
    replace_member(text, "ts", std::to_string(index * 10));
    replace_member(text, "device", "\"d" + std::to_string(index % 100) + "\"");
    add(all, topic, text);
  }
  return all;
}

struct Measured {
  double ns_per_message = 0;
  uint64_t results = 0;
  uint64_t allocations = 0;
  uint64_t state_bytes = 0;
};

/// What the processor spent on us, not what the clock says: machines are shared.
double cpu_ns() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

Measured run_round(const std::string& toml, const std::string& csv, const std::vector<Stored>& stored) {
  TemporaryDirectory directory;
  LoadedConfig config = test::load_steps(toml, directory, csv);
  Arena arena;
  PlannedGraph planned = build_graph(config.specification.pipeline.at(0), config.diagnostics, arena);
  WEIR_ASSERT(planned.result != nullptr);
  Measured measured;
  for (const Pool& pool : arena.pools())
    if (pool.name.ends_with(".slots")) measured.state_bytes += pool.bytes;
  StepGraph graph("bench", std::move(planned.parts), arena);
  test::CountingSink sink;
  graph.connect(sink, sink);
  graph.start(0);
  heap_guard_arm();
  const double start = cpu_ns();
  for (size_t index = 0; index < stored.size(); ++index) {
    Message message;
    message.topic = stored[index].topic;
    message.payload = {stored[index].payload.data(), stored[index].size};
    message.offset = index + 1;
    (void)graph.process(message, StepGraph::by_event_time, 0);
    WEIR_ASSERT(graph.advance());
  }
  const double end = cpu_ns();
  heap_guard_disarm();
  measured.ns_per_message = (end - start) / static_cast<double>(stored.size());
  measured.results = sink.results;
  measured.allocations = heap_allocations(HeapOwner::Weir);
  return measured;
}

void measure(const std::string& name, const std::string& toml, const std::string& csv, const std::vector<Stored>& stored,
             int rounds) {
  Measured best = run_round(toml, csv, stored);
  for (int round = 1; round < rounds; ++round)
    if (Measured next = run_round(toml, csv, stored); next.ns_per_message < best.ns_per_message) best = next;
  const auto messages = static_cast<double>(stored.size());
  printf("%-34s %8.1f ns/message %6.2f M messages/s  %.4f allocations  %5.2f results  %9llu bytes of state\n", name.c_str(),
         best.ns_per_message, 1000 / best.ns_per_message, static_cast<double>(best.allocations) / messages,
         static_cast<double>(best.results) / messages, static_cast<unsigned long long>(best.state_bytes));
}

}  // namespace

int main() {
  register_built_in_steps();
  for (size_t devices : std::array<size_t, 3>{10, 100, 1000})
    measure("filter and window, " + std::to_string(devices) + " devices", budget_steps, "", budget_messages(devices), 7);
  for (const char* page : test::example_pages)
    for (const test::DocsExample& example : test::docs_examples(page))
      measure(example.section + " (" + example.page + ":" + std::to_string(example.line) + ")", example.toml, example.csv,
              example_messages(example), 3);
  return 0;
}
