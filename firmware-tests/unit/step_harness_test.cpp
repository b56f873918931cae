// One harness for all steps: the configuration of every example of the documentation, fed with random records, is cut at random
// points: snapshot, restore into a fresh instance, go on. The output must equal that of the uncut run. A step without examples
// fails docs_examples_test.cpp, so none can be added without going through this.
#include "firmware-tests/support/docs_examples.h"
#include "firmware-tests/support/json_values.h"
#include "firmware-tests/support/step_rig.h"

#include <cstdlib>
#include <random>

#include "agent/base/heap_guard.h"
#include "agent/operators/state_adoption.h"
#include "agent/operators/state_text.h"
#include "agent/operators/value_cell.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

constexpr size_t records = 120;

uint64_t harness_seed() {
  const char* text = getenv("WEIR_SEED");
  return text != nullptr ? strtoull(text, nullptr, 10) : std::random_device()();
}

/// Random payloads shaped like the example's own: members are left out, set to null, or take values of other lines, numbers are
/// also moved; event times go up with some disorder.
class Inputs {
 public:
  Inputs(const DocsExample& example, uint64_t seed) : random_(seed) {
    std::string line;
    for (char character : example.input) {
      if (character != '\n') {
        line += character;
        continue;
      }
      const size_t brace = line.find('{');
      if (brace != std::string::npos) lines_.push_back({line.substr(0, brace), members(line.substr(brace + 1))});
      line.clear();
    }
  }
  bool empty() const { return lines_.empty(); }

  std::string next() {
    const Line& line = lines_[below(lines_.size())];
    std::string text = line.topic + "{";
    for (size_t index = 0; index < line.members.size(); ++index) {
      auto [name, value] = line.members[index];
      if (name == "\"ts\"")
        value = time();
      else
        value = change(value, line, index);
      text += (index == 0 ? "" : ",") + name + ":" + value;
    }
    return text + "}";
  }

 private:
  struct Line {
    std::string topic;
    std::vector<std::pair<std::string, std::string>> members;
  };

  static std::vector<std::pair<std::string, std::string>> members(const std::string& body) {
    std::vector<std::pair<std::string, std::string>> found;
    std::string name, value;
    std::string* part = &name;
    bool quoted = false;
    for (char character : body) {
      if (character == '"') quoted = !quoted;
      if (!quoted && character == ':' && part == &name) {
        part = &value;
      } else if (!quoted && (character == ',' || character == '}')) {
        if (!name.empty()) found.emplace_back(name, value);
        name.clear();
        value.clear();
        part = &name;
      } else if (quoted || character != ' ') {
        *part += character;
      }
    }
    return found;
  }

  std::string time() {
    constexpr int64_t steps[] = {0, 1, 10, 500, 1000, 1000, 1000, 5000, 30'000, 60'000, 600'000};
    now_ms_ += steps[below(std::size(steps))];
    const int64_t late_ms = below(6) == 0 ? steps[below(std::size(steps))] : 0;
    return std::to_string(now_ms_ - late_ms);
  }

  std::string change(const std::string& value, const Line& line, size_t index) {
    const size_t choice = below(12);
    if (choice == 0) return "null";
    if (choice < 6 || value.empty()) return value;
    const Line& other = lines_[below(lines_.size())];
    if (index < other.members.size() && other.members[index].first == line.members[index].first) {
      const std::string& taken = other.members[index].second;
      const bool whole = taken.find_first_not_of("-0123456789") == std::string::npos;
      if (choice < 10 || taken == "null" || taken.find_first_not_of("-0123456789.") != std::string::npos) return taken;
      return whole ? std::to_string(strtoll(taken.c_str(), nullptr, 10) + static_cast<int64_t>(below(7)) - 3)
                   : std::to_string(strtod(taken.c_str(), nullptr) + static_cast<double>(below(1000)) / 100 - 5);
    }
    return value;
  }

  size_t below(size_t limit) { return std::uniform_int_distribution<size_t>(0, limit - 1)(random_); }

  std::mt19937_64 random_;
  std::vector<Line> lines_;
  int64_t now_ms_ = 0;
};

}  // namespace

TEST_GROUP(StepHarness) {
  uint64_t seed = harness_seed();

  std::vector<std::string> inputs_of(const DocsExample& example) const {
    Inputs inputs(example, seed);
    std::vector<std::string> lines;
    for (size_t index = 0; index < records && !inputs.empty(); ++index) lines.push_back(inputs.next());
    return lines;
  }

  static std::string uncut(const DocsExample& example, const std::vector<std::string>& lines) {
    StepRig rig(example.toml, example.csv);
    for (const std::string& line : lines) rig.feed(line);
    rig.finish();
    return rig.take_output();
  }

  /// Checkpoints now and then, of which some fail; a crash goes back to the last that did not.
  std::string cut(const DocsExample& example, const std::vector<std::string>& lines, std::mt19937_64& random) const {
    SavedRig saved;
    auto rig = std::make_unique<StepRig>(example.toml, example.csv);
    std::string output;
    rig->save(saved);
    size_t crashes = 0;
    for (size_t index = 0; index < lines.size(); ++index) {
      rig->feed(lines[index]);
      output += rig->take_output();
      if (random() % 3 == 0) continue;
      if (random() % 8 == 0) rig->save(saved, false);
      rig->save(saved);
      if (random() % 4 != 0) continue;
      ++crashes;
      rig = std::make_unique<StepRig>(example.toml, example.csv);
      // Now and then as after a change of the configuration: taken over field by field, into slots anew.
      const Status restored = random() % 2 == 0 ? rig->restore(saved) : rig->adopt(saved);
      CHECK_TRUE_TEXT(restored.ok(), (example.name() + ": " + restored.text()).c_str());
    }
    CHECK(crashes > 0);
    rig->finish();
    return output + rig->take_output();
  }
};

/// Whether all keys of a part can be told by nothing but what is stored.
static void check_shown(const MemoryBlobs& blobs, const std::string& text, const std::string& name) {
  Result<StateLayout> layout = StateLayout::parse(text);
  CHECK_TRUE_TEXT(layout.ok(), name.c_str());
  const int slots_field = layout.value().own.find("slots");
  CHECK_TRUE_TEXT(slots_field >= 0, name.c_str());
  StoredSlots slots(layout.value());
  Status loaded = blobs.load([&](const StoredBlob& blob) {
    if (blob.kind != BlobKind::Operator) return slots.restore(blob);
    std::string own;
    append_own_json(layout.value(), blob.bytes, own);
    STRCMP_CONTAINS_TEXT("\"slots\":", own.c_str(), name.c_str());
    auto number = [&](int field) {
      return load<uint32_t>(blob.bytes.data() + layout.value().own.at(static_cast<size_t>(field)));
    };
    // Behind what is described there is nothing but a watermark for each clock.
    const int clocks = layout.value().own.find("clocks");
    const uint64_t more = clocks < 0 ? 0 : number(clocks) * sizeof(int64_t);
    LONGS_EQUAL_TEXT(layout.value().own.bytes() + more, blob.bytes.size(), name.c_str());
    return slots.open(number(slots_field));
  });
  CHECK_TRUE_TEXT(loaded.ok(), (name + ": " + loaded.text()).c_str());
  const std::string header = state_csv_header(layout.value());
  Status shown = slots.each([&](Bytes slot) -> Status {
    std::string json;
    std::string csv;
    WEIR_TRY(append_state_json(layout.value(), slot, json));
    WEIR_TRY(append_state_csv(layout.value(), slot, csv));
    CHECK_TRUE_TEXT(is_json(json), (name + ": " + json).c_str());
    for (const StoredField& field : layout.value().fields.all())
      STRCMP_CONTAINS_TEXT(("\"" + field.name + "\":").c_str(), json.c_str(), name.c_str());
    return {};
  });
  CHECK_TRUE_TEXT(shown.ok(), (name + ": " + shown.text()).c_str());
}

TEST(StepHarness, the_state_of_every_step_can_be_shown) {
  size_t parts = 0;
  for (const char* page : example_pages) {
    for (const DocsExample& example : docs_examples(page)) {
      const std::vector<std::string> lines = inputs_of(example);
      if (lines.empty()) continue;
      StepRig rig(example.toml, example.csv);
      SavedRig saved;
      for (const std::string& line : lines) rig.feed(line);
      rig.save(saved);
      for (const auto& [uid, blobs] : saved.parts) {
        check_shown(blobs, saved.layouts.at(uid), example.name() + " " + uid);
        ++parts;
      }
    }
  }
  CHECK(parts > 30);
}

TEST(StepHarness, a_restart_at_any_point_changes_nothing) {
  printf("WEIR_SEED=%llu ", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  for (const char* page : example_pages) {
    for (const DocsExample& example : docs_examples(page)) {
      const std::vector<std::string> lines = inputs_of(example);
      if (lines.empty()) continue;
      const std::string expected = uncut(example, lines);
      STRCMP_EQUAL_TEXT(expected.c_str(), cut(example, lines, random).c_str(), example.name().c_str());
    }
  }
}

namespace {

struct PaddedLine {
  std::string topic, payload;
  explicit PaddedLine(const std::string& line) {
    const size_t brace = line.find('{');
    topic = brace > 1 ? line.substr(0, brace - 1) : "sensors/x";
    payload = line.substr(brace) + std::string(payload_padding, '\0');
  }
  Message message(uint64_t offset) const {
    Message message;
    message.topic = topic;
    message.payload = as_bytes(std::string_view(payload).substr(0, payload.size() - payload_padding));
    message.offset = offset;
    return message;
  }
};

}  // namespace

TEST(StepHarness, no_step_allocates_after_it_was_made) {
  if (!heap_guard_present()) return;
  for (const char* page : example_pages) {
    for (const DocsExample& example : docs_examples(page)) {
      std::vector<PaddedLine> lines;
      for (const std::string& line : inputs_of(example)) lines.emplace_back(line);
      TemporaryDirectory directory;
      LoadedConfig config = load_steps(example.toml, directory, example.csv);
      Arena arena(size_t{1} << 30);
      PlannedGraph planned = build_graph(config.specification.pipeline.at(0), config.diagnostics, arena);
      CHECK_TRUE_TEXT(planned.result != nullptr, example.name().c_str());
      StepGraph graph("p", std::move(planned.parts), arena);
      CountingSink sink;
      graph.connect(sink, sink);
      graph.start(0);
      uint64_t offset = 0;
      heap_guard_arm();
      for (const PaddedLine& line : lines) {
        (void)graph.process(line.message(++offset), StepGraph::by_event_time, 0);
        (void)graph.advance();
      }
      graph.finish();
      (void)graph.advance();
      const uint64_t allocations = heap_allocations(HeapOwner::Weir);
      heap_guard_disarm();
      LONGS_EQUAL_TEXT(0, allocations, example.name().c_str());
    }
  }
}
