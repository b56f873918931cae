// One keyed step as its line of the configuration says, over records { device, value, n, text }: built through the real loader
// and StepBuild, fed record by record, cut by a snapshot at will. For tests that look at numbers rather than at JSON.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "firmware-tests/support/files.h"
#include "firmware-tests/support/operator_probe.h"
#include "firmware-tests/support/random.h"
#include "firmware-tests/unit/config_fixture.h"

#include <CppUTest/TestHarness.h>

namespace weir::test {

/// A result as it reached the sink; strings are copied.
struct NumericRow {
  std::vector<Value> values;
  std::string text;  // "a 3.5 null"
  int64_t event_time_ms = 0;
  uint64_t identity = 0;
  bool derived = false;
};

class NumericSink final : public Operator {
 public:
  std::string_view id() const override { return "sink"; }
  const Schema& schema() const override { return schema_; }
  bool ready() const override { return rows.size() < room; }
  Outcome process(const Record& record) override {
    if (!keep) rows.clear();
    NumericRow row{{record.values.begin(), record.values.end()}, "", record.event_time_ms, record.identity, record.derived};
    if (keep)
      for (const Value& value : record.values) row.text += (row.text.empty() ? "" : " ") + text_of(value);
    rows.push_back(std::move(row));
    return Outcome::Applied;
  }

  std::vector<NumericRow> rows;
  size_t room = SIZE_MAX;
  bool keep = true;  // otherwise only the newest row, without text

 private:
  Schema schema_;
};

class NumericStep : public StepErrors {
 public:
  /// `verb_line` as in `derive = { field = "value", rate = "rate" }`; `beside` are lines beside it.
  explicit NumericStep(std::string verb_line, std::string beside = "key_by = [\"device\"]\n")
      : verb_line_(std::move(verb_line)), beside_(std::move(beside)) {
    input_.add({.name = "device", .type = Type::String, .max_length = 8});
    input_.add({.name = "value", .type = Type::Float});
    input_.add({.name = "n", .type = Type::Int});
    input_.add({.name = "text", .type = Type::String, .max_length = 8});
    build();
  }

  /// What is wrong with the configuration, "" if nothing is.
  const std::string& errors() const { return errors_; }
  void error(const Text& text, size_t offset, size_t, std::string_view message, std::string_view) override {
    errors_ += text.value.substr(offset) + ": " + std::string(message) + "\n";
  }
  void error(Location at, size_t, std::string_view message, std::string_view) override {
    errors_ += (at.line == 0 ? "nowhere: " : "") + std::string(message) + "\n";
  }

  Outcome send(int64_t time_ms, double value, const char* device = "a") {
    return send(time_ms, Value::of_float(value), Value::null(), device);
  }
  Outcome send_int(int64_t time_ms, int64_t value, const char* device = "a") {
    return send(time_ms, Value::null(), Value::of_int(value), device);
  }
  Outcome send_null(int64_t time_ms, const char* device = "a") { return send(time_ms, Value::null(), Value::null(), device); }
  Outcome send(int64_t time_ms, Value value, Value n, const char* device, Value text = Value::null()) {
    const Value values[] = {Value::of_string(device), value, n, text};
    Record record;
    record.values = values;
    record.event_time_ms = time_ms;
    record.offset = record.identity = ++offset_;
    return step_->process(record);
  }
  bool advance(int64_t watermark_ms) { return step_->advance(watermark_ms); }

  /// Stores the state, forgets the step and goes on with a fresh one. False if the stored state was refused.
  bool cut() {
    checkpoint_of(*step_->stateful(), ++checkpoint_, blobs_);
    build();
    return blobs_.load_into(*step_->stateful()).ok();
  }
  /// Flips a stored byte of the only key's state, counted from its begin, and loads it.
  Status load_damaged(uint32_t slot_header_bytes, uint32_t at, uint8_t byte) {
    Stateful& part = *step_->stateful();
    SnapshotMemory memory(part.snapshot_bounds());
    memory.snapshot.begin(++checkpoint_);
    part.snapshot(memory.snapshot);
    MemoryBlobs blobs;
    blobs.commit(memory.snapshot);
    for (auto& [index, base] : blobs.base) base.second.at(6 + slot_header_bytes + at) = byte;
    for (auto& [index, delta] : blobs.deltas) delta.at(6 + slot_header_bytes + at) = byte;
    build();
    return blobs.load_into(*step_->stateful());
  }

  /// The value named so of the newest row, or of the one at `index`.
  Value result(const std::string& name) const { return result(name, sink.rows.size() - 1); }
  Value result(const std::string& name, size_t index) const {
    return sink.rows.at(index).values.at(static_cast<size_t>(step_->schema().find(name)));
  }
  double number(const std::string& name) const { return result(name).as_float(); }
  /// The rows since the last call, one per line.
  std::string taken() {
    std::string text;
    for (const NumericRow& row : sink.rows) text += row.text + "\n";
    sink.rows.clear();
    return text;
  }
  Operator& step() { return *step_; }

  NumericSink sink;
  RefusalLog refusals;

 private:
  void build() {
    register_built_in_steps();
    errors_.clear();
    ConfigFixture file;
    file.write(
        "[mqtt.m]\nurl = \"mqtt://127.0.0.1:1\"\n[[pipeline]]\nname = \"p\"\n[pipeline.source]\nmqtt = \"m\"\n"
        "topics = [\"t\"]\nformat = \"json\"\nfields = { device = \"string\" }\n[[pipeline.step]]\nid = \"s\"\n" +
        beside_ + verb_line_ + "\n[pipeline.sink]\nmqtt = \"m\"\ntopic = \"out\"\nformat = \"json\"\n");
    LoadedConfig config = file.load();
    if (config.diagnostics.errors() > 0) {
      errors_ = file.shown(config);
      return;
    }
    const StepSpec& spec = config.specification.pipeline.at(0).step.at(0);
    KeyedSpec keyed;
    keyed.id = "s";
    keyed.max_keys = static_cast<uint32_t>(spec.max_keys);
    for (const Text& name : spec.key_by) keyed.key_fields.push_back(static_cast<uint32_t>(input_.find(name.value)));
    (void)parse_evict(spec.evict, keyed.evict);
    step_.reset();
    arena_.emplace(16 << 20);
    StepBuild step_build(spec.options, input_, std::move(keyed), *arena_, "s", spec.at, *this);
    step_ = spec.kind->make(step_build);
    if (step_) step_->connect(&sink, &refusals);
  }

  std::string verb_line_;
  std::string beside_;
  Schema input_;
  std::string errors_;
  std::optional<Arena> arena_;
  std::unique_ptr<Operator> step_;
  MemoryBlobs blobs_;
  uint64_t checkpoint_ = 0;
  uint64_t offset_ = 0;
};

/// A column of a file with one head line and this separator, decimal commas included; empty, and said so, if there is none.
inline std::vector<double> recorded_column(const std::string& file, size_t column, char separator) {
  std::vector<double> numbers;
  std::string text = read_whole_file(std::string(WEIR_SOURCE_DIR "/../shared/data/") + file);
  if (text.empty()) printf("skipped: ../shared/data/%s is not there\n", file.c_str());
  if (separator == '\t') std::ranges::replace(text, ',', '.');
  for (size_t line = text.find('\n'); line != std::string::npos && line + 1 < text.size(); line = text.find('\n', line + 1)) {
    size_t at = line + 1;
    for (size_t skipped = 0; skipped < column; ++skipped) at = text.find(separator, at) + 1;
    numbers.push_back(strtod(text.c_str() + at, nullptr));
  }
  return numbers;
}

/// Real series: a machine's temperature every 5 minutes, a solar collector's every minute (with sentinels like -88.8).
inline std::vector<std::vector<double>> recorded_series() {
  std::vector<std::vector<double>> all = {recorded_column("nab/machine_temperature_system_failure.csv", 1, ','),
                                          recorded_column("solar/raw/20180131.csv", 1, '\t'),
                                          recorded_column("solar/raw/20190705.csv", 2, '\t')};
  // Those that are not there were told.
  std::erase_if(all, [](const std::vector<double>& series) { return series.empty(); });
  return all;
}

/// Numbers of about the size of sensors' readings, some of them far out.
inline double random_reading(Random& random) {
  const auto fraction = static_cast<double>(random.next() >> 11) / 9007199254740992.0;
  return random.chance(2) ? (fraction - 0.5) * 1e6 : 20 + 10 * (fraction - 0.5);
}

/// 40 random records about a second apart, some out of order: a step that is cut after each must say what an uncut one says.
inline void check_every_cut(const char* line, uint64_t seed) {
  NumericStep whole(line);
  NumericStep cut(line);
  Random random(seed);
  for (int64_t index = 0; index < 40; ++index) {
    const double value = random_reading(random);
    const int64_t time_ms = index * 1000 + random.between(-700, 700);
    CHECK(whole.send(time_ms, value) == cut.send(time_ms, value));
    CHECK(cut.cut());
  }
  const std::string expected = whole.taken();
  STRCMP_EQUAL(expected.c_str(), cut.taken().c_str());
}

}  // namespace weir::test
