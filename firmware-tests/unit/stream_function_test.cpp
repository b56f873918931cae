// Functions of one's own: their fields, results and states, as an engineer writes them.
#include <memory>
#include <random>
#include <string>

#include "agent/api/function.h"
#include "firmware-tests/support/allocation_count.h"
#include "firmware-tests/support/registered_kind.h"
#include "firmware-tests/support/step_rig.h"
#include "firmware-tests/unit/numeric_step_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

/// The average of every two, as in Flink's documentation.
class Average final : public FlatMapFunction {
 public:
  struct Sum {
    int64_t count = 0;
    double total = 0;
    static constexpr const char* layout = "count,total";
    bool valid() const { return count == 1; }
  };
  explicit Average(FunctionBuild& build)
      : value_(build.input_by_option<double>("field")),
        average_(build.output<double>("average")),
        sum_(build.value_state<Sum>("sum")) {}
  void flat_map(const Record& record, Collector& out) override {
    const std::optional<double> value = value_.of(record);
    if (!value) return out.refuse("null", "no value");
    Sum sum = sum_.value();
    sum = {sum.count + 1, sum.total + *value};
    sum_.update(sum);
    if (sum.count < 2) return;
    average_.set(sum.total / 2);
    out.collect();
    sum_.clear();
  }

 private:
  InputField<double> value_;
  OutputField<double> average_;
  ValueState<Sum> sum_;
};

/// Keeps the last three values in a list and hands all of them on, newest last.
template <WhenFull when_full>
class LastThree final : public FlatMapFunction {
 public:
  explicit LastThree(FunctionBuild& build)
      : value_(build.input<double>("value")),
        kept_(build.output<double>("kept")),
        place_(build.output<int64_t>("place")),
        values_(build.list_state<double, 3>("values", when_full)) {}
  uint32_t results_max() const override { return 3; }
  void flat_map(const Record& record, Collector& out) override {
    const double value = value_.of(record).value_or(0);
    if (value < 0) return values_.clear();
    if (!values_.add(value)) return out.refuse("full");
    for (uint32_t index = 0; index < values_.size(); ++index) {
      kept_.set(values_.get(index));
      place_.set(index);
      out.collect();
    }
  }

 private:
  InputField<double> value_;
  OutputField<double> kept_;
  OutputField<int64_t> place_;
  ListState<double, 3> values_;
};

/// Counts the values by their whole part in a map of two; a negative one takes its opposite out.
template <WhenFull when_full>
class Tallies final : public MapFunction {
 public:
  explicit Tallies(FunctionBuild& build)
      : value_(build.input<double>("value")),
        tally_(build.output<int64_t>("tally")),
        size_(build.output<int64_t>("size")),
        tallies_(build.map_state<int32_t, uint16_t, 2>("tallies", when_full)) {}
  void map(const Record& record) override {
    const auto whole = static_cast<int32_t>(value_.of(record).value_or(0));
    if (whole < 0) {
      tallies_.remove(-whole);
    } else {
      const auto tally = static_cast<uint16_t>(tallies_.get(whole).value_or(0) + 1);
      if (tallies_.put(whole, tally)) tally_.set(tally);
    }
    size_.set(tallies_.size());
  }

 private:
  InputField<double> value_;
  OutputField<int64_t> tally_;
  OutputField<int64_t> size_;
  MapState<int32_t, uint16_t, 2> tallies_;
};

/// Lets a value pass once per key.
class Once final : public FilterFunction {
 public:
  explicit Once(FunctionBuild& build) : seen_(build.value_state<bool>("seen")) {}
  bool filter(const Record&) override {
    if (seen_.present()) return false;
    seen_.update(true);
    return true;
  }

 private:
  ValueState<bool> seen_;
};

/// Every type in and out; `value` is replaced.
class Types final : public MapFunction {
 public:
  explicit Types(FunctionBuild& build)
      : flag_(build.input<bool>("flag")),
        count_(build.input<int64_t>("count")),
        as_float_(build.input<double>("count")),
        name_(build.input<std::string_view>("name")),
        at_(build.input<Time>("at")),
        not_(build.output<bool>("not")),
        next_(build.output<int64_t>("count")),
        half_(build.output<double>("half")),
        short_(build.output<std::string_view>("short", 3)),
        later_(build.output<Time>("later")),
        unset_(build.output<int64_t>("unset")) {}
  void map(const Record& record) override {
    if (const auto flag = flag_.of(record)) not_.set(!*flag);
    if (const auto count = count_.of(record)) next_.set(*count + 1);
    if (const auto count = as_float_.of(record)) half_.set(*count == 0 ? 0 / *count : *count / 2);
    if (const auto name = name_.of(record)) short_.set(*name);
    if (const auto at = at_.of(record)) later_.set({at->epoch_ms + 1});
    unset_.set(1);
    unset_.set_null();
  }

 private:
  InputField<bool> flag_;
  InputField<int64_t> count_;
  InputField<double> as_float_;
  InputField<std::string_view> name_;
  InputField<Time> at_;
  OutputField<bool> not_;
  OutputField<int64_t> next_;
  OutputField<double> half_;
  OutputField<std::string_view> short_;
  OutputField<Time> later_;
  OutputField<int64_t> unset_;
};

/// A state of the size that is asked for.
template <uint32_t count>
class Large final : public FilterFunction {
 public:
  explicit Large(FunctionBuild& build) : list_(build.list_state<double, count>("list", WhenFull::Refuse)) {}
  bool filter(const Record&) override { return list_.size() == 0; }

 private:
  ListState<double, count> list_;
};

class Collides final : public FlatMapFunction {
 public:
  explicit Collides(FunctionBuild& build) : device_(build.output<int64_t>("device")), value_(build.input<bool>("value")) {}
  void flat_map(const Record&, Collector&) override {}

 private:
  OutputField<int64_t> device_;
  InputField<bool> value_;
};

constexpr StepOption average_options[] = {{.key = "field",
                                           .type = StepOptionType::Text,
                                           .standard = "value",
                                           .documentation = "The field.",
                                           .example = "field = \"x\""}};
const StepKind average_kind = step_kind<Average>("test-average", "Averages.", average_options);
const StepKind refusing_list = step_kind<LastThree<WhenFull::Refuse>>("refusing-list", "Keeps.");
const StepKind sliding_list = step_kind<LastThree<WhenFull::DropOldest>>("sliding-list", "Keeps.");
const StepKind refusing_map = step_kind<Tallies<WhenFull::Refuse>>("refusing-map", "Counts.");
const StepKind sliding_map = step_kind<Tallies<WhenFull::DropOldest>>("sliding-map", "Counts.");
const StepKind once = step_kind<Once>("once", "Once.");
const StepKind types = step_kind<Types>("types", "Types.");
const StepKind largest = step_kind<Large<4080>>("largest", "Large.");
const StepKind too_large = step_kind<Large<4096>>("too-large", "Too large.");
const StepKind collides = step_kind<Collides>("collides", "Collides.");

std::string step_of(const StepKind& kind, const std::string& more = "max_keys = 3") {
  return "[[pipeline.step]]\nid = \"f\"\nkey_by = [\"device\"]\n" + more + "\noperator = \"" + kind.verb + "\"\n";
}

/// "a 3" is one record.
std::string record_line(const std::string& device, const std::string& value, int64_t time_ms) {
  return "{\"device\":\"" + device + "\",\"value\":" + value + ",\"ts\":" + std::to_string(time_ms) + "}";
}

}  // namespace

TEST_GROUP(StreamFunction) {
  std::unique_ptr<RegisteredKind> registered;
  std::unique_ptr<StepRig> rig;
  std::string toml;
  SavedRig saved;
  int64_t time_ms = 0;

  void make(const StepKind& kind, const std::string& more = "max_keys = 3") {
    registered = std::make_unique<RegisteredKind>(kind);
    toml = step_of(kind, more);
    saved = {};
    rig = std::make_unique<StepRig>(toml);
    STRCMP_EQUAL("", rig->problems().c_str());
  }
  std::string problems(const StepKind& kind) {
    registered.reset();
    registered = std::make_unique<RegisteredKind>(kind);
    return StepRig(step_of(kind)).problems();
  }
  std::string give(const char* device, const char* value) {
    rig->feed(record_line(device, value, ++time_ms));
    return rig->take_output();
  }
  void restart() {
    rig->save(saved);
    rig = std::make_unique<StepRig>(toml);
    CHECK(rig->restore(saved).ok());
  }
  void teardown() override { rig.reset(); }
};

TEST(StreamFunction, averages_every_two_values_of_a_key) {
  make(average_kind);
  STRCMP_EQUAL("", give("a", "3").c_str());
  STRCMP_EQUAL("", give("b", "10").c_str());
  STRCMP_EQUAL("{\"device\":\"a\",\"average\":4}\n", give("a", "5").c_str());
  STRCMP_EQUAL("", give("a", "7").c_str());
  STRCMP_EQUAL("{\"device\":\"a\",\"average\":5.5}\n", give("a", "4").c_str());
  STRCMP_EQUAL("{\"device\":\"b\",\"average\":11}\n", give("b", "12").c_str());
}

TEST(StreamFunction, keeps_its_value_over_a_restart) {
  make(average_kind);
  give("a", "3");
  restart();
  STRCMP_EQUAL("{\"device\":\"a\",\"average\":4}\n", give("a", "5").c_str());
  restart();
  STRCMP_EQUAL("", give("a", "7").c_str());
}

TEST(StreamFunction, sets_a_record_aside_with_a_reason_and_without_a_trace) {
  make(average_kind);
  give("a", "3");
  STRCMP_EQUAL("refused f null\n", give("a", "null").c_str());
  STRCMP_EQUAL("{\"device\":\"a\",\"average\":4}\n", give("a", "5").c_str());
  UNSIGNED_LONGS_EQUAL(1, rig->counts().refused);
}

TEST(StreamFunction, takes_records_in_the_order_in_which_they_come) {
  make(average_kind);
  time_ms = 5000;
  give("a", "3");
  time_ms = 1000;
  STRCMP_EQUAL("{\"device\":\"a\",\"average\":4}\n", give("a", "5").c_str());
}

TEST(StreamFunction, a_key_without_state_is_given_back) {
  make(average_kind, "max_keys = 1");
  give("a", "3");
  STRCMP_EQUAL("refused f capacity\n", give("b", "3").c_str());
  STRCMP_EQUAL("{\"device\":\"a\",\"average\":4}\n", give("a", "5").c_str());
  STRCMP_EQUAL("", give("b", "3").c_str());
  STRCMP_EQUAL("{\"device\":\"b\",\"average\":3}\n", give("b", "3").c_str());
}

TEST(StreamFunction, without_key_by_there_is_one_state_for_all) {
  registered = std::make_unique<RegisteredKind>(average_kind);
  rig = std::make_unique<StepRig>("[[pipeline.step]]\nid = \"f\"\noperator = \"test-average\"\n");
  STRCMP_EQUAL("", rig->problems().c_str());
  give("a", "3");
  STRCMP_EQUAL("{\"average\":4}\n", give("b", "5").c_str());
}

TEST(StreamFunction, a_list_hands_on_several_results_and_refuses_when_it_is_full) {
  make(refusing_list);
  STRCMP_EQUAL("{\"device\":\"a\",\"kept\":1,\"place\":0}\n", give("a", "1").c_str());
  give("a", "2");
  restart();
  STRCMP_EQUAL(
      "{\"device\":\"a\",\"kept\":1,\"place\":0}\n{\"device\":\"a\",\"kept\":2,\"place\":1}\n"
      "{\"device\":\"a\",\"kept\":3,\"place\":2}\n",
      give("a", "3").c_str());
  STRCMP_EQUAL("refused f full\n", give("a", "4").c_str());
  give("a", "-1");
  STRCMP_EQUAL("{\"device\":\"a\",\"kept\":5,\"place\":0}\n", give("a", "5").c_str());
}

TEST(StreamFunction, a_list_that_may_drop_its_oldest_does) {
  make(sliding_list);
  for (const char* value : {"1", "2", "3"}) give("a", value);
  STRCMP_EQUAL(
      "{\"device\":\"a\",\"kept\":2,\"place\":0}\n{\"device\":\"a\",\"kept\":3,\"place\":1}\n"
      "{\"device\":\"a\",\"kept\":4,\"place\":2}\n",
      give("a", "4").c_str());
  uint64_t evicted = 0;
  for (size_t step = 0; step < rig->graph().steps(); ++step) evicted += rig->graph().step(step).evicted();
  UNSIGNED_LONGS_EQUAL(1, evicted);
}

TEST(StreamFunction, a_map_refuses_a_new_key_when_it_is_full_and_takes_those_it_has) {
  make(refusing_map);
  auto expect = [this](const char* value, const char* tally, const char* size) {
    const std::string expected = "{\"device\":\"a\",\"value\":" + std::string(value) +
                                 ",\"ts\":" + std::to_string(time_ms + 1) + ",\"tally\":" + tally + ",\"size\":" + size + "}\n";
    STRCMP_EQUAL(expected.c_str(), give("a", value).c_str());
  };
  expect("1", "1", "1");
  expect("2", "1", "2");
  expect("3", "null", "2");
  expect("1", "2", "2");
  restart();
  expect("2", "2", "2");
  expect("-1", "null", "1");
  expect("3", "1", "2");
  expect("1", "null", "2");
}

TEST(StreamFunction, a_map_that_may_drop_its_oldest_drops_the_key_that_was_put_first) {
  make(sliding_map);
  for (const char* value : {"1", "2", "1"}) give("a", value);
  STRCMP_CONTAINS("\"tally\":1,\"size\":2", give("a", "3").c_str());
  STRCMP_CONTAINS("\"tally\":2,\"size\":2", give("a", "2").c_str());
  STRCMP_CONTAINS("\"tally\":1,\"size\":2", give("a", "1").c_str());
}

TEST(StreamFunction, a_filter_with_state_lets_through_what_it_says) {
  make(once);
  STRCMP_EQUAL("{\"device\":\"a\",\"value\":1,\"ts\":1}\n", give("a", "1").c_str());
  STRCMP_EQUAL("", give("a", "2").c_str());
  restart();
  STRCMP_EQUAL("", give("a", "3").c_str());
  STRCMP_EQUAL("{\"device\":\"b\",\"value\":1,\"ts\":4}\n", give("b", "1").c_str());
  UNSIGNED_LONGS_EQUAL(1, rig->counts().filtered);
}

TEST(StreamFunction, reads_and_writes_every_type) {
  registered = std::make_unique<RegisteredKind>(types);
  rig = std::make_unique<StepRig>(
      "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"t\"]\nformat = \"json\"\n"
      "fields = { flag = \"bool\", count = \"int\", name = \"string(8)\", at = \"time(ms)\" }\n"
      "[[pipeline.step]]\nid = \"f\"\noperator = \"types\"\n");
  STRCMP_EQUAL("", rig->problems().c_str());
  rig->feed_lines("{\"flag\":true,\"count\":4,\"name\":\"abcd\",\"at\":1}\n{\"count\":0,\"name\":\"\u00e4\u00e4\"}\n{}\n");
  STRCMP_EQUAL(
      "{\"flag\":true,\"count\":5,\"name\":\"abcd\",\"at\":1,\"not\":false,\"half\":2,\"short\":\"abc\",\"later\":2,\"unset\":"
      "null}\n"
      "{\"flag\":null,\"count\":1,\"name\":\"\u00e4\u00e4\",\"at\":null,\"not\":null,\"half\":null,\"short\":\"\u00e4\","
      "\"later\":null,\"unset\":null}\n"
      "{\"flag\":null,\"count\":null,\"name\":null,\"at\":null,\"not\":null,\"half\":null,\"short\":null,\"later\":null,"
      "\"unset\":null}\n",
      rig->take_output().c_str());
}

TEST(StreamFunction, says_what_is_wrong_with_its_fields_and_its_size) {
  STRCMP_EQUAL("", problems(largest).c_str());
  STRCMP_CONTAINS("the state of one key would take 328", problems(too_large).c_str());
  const std::string text = problems(collides);
  STRCMP_CONTAINS("two fields would be called \"device\"", text.c_str());
  STRCMP_CONTAINS("\"value\" is float; this takes bool", text.c_str());
  STRCMP_CONTAINS("c.toml:11:", text.c_str());
}

TEST(StreamFunction, has_a_layout_that_names_its_states) {
  auto layout_of = [this](const StepKind& kind) {
    registered.reset();
    make(kind);
    std::vector<Stateful*> parts;
    rig->graph().collect_stateful(parts);
    for (Stateful* part : parts)
      if (part->uid() == "f") {
        const std::string text(part->layout());
        STRCMP_CONTAINS("function\nkey device string(16)\n", text.c_str());
        return text.substr(text.find("time step.newest\n") + strlen("time step.newest\n"));
      }
    return std::string();
  };
  STRCMP_EQUAL("flag sum.present\nbytes(16) sum \"count,total\"\n", layout_of(average_kind).c_str());
  STRCMP_EQUAL("u16 values.count\nlist values 3 values.count\n  f64 value\nend\n", layout_of(sliding_list).c_str());
  STRCMP_EQUAL("u16 tallies.count\nlist tallies 2 tallies.count\n  i32 key\n  u16 value\nend\n",
               layout_of(sliding_map).c_str());
}

TEST(StreamFunction, allocates_nothing_for_a_record) {
  for (const StepKind* kind : {&sliding_list, &refusing_map, &once}) {
    const RegisteredKind known(*kind);
    NumericStep step("operator = \"" + std::string(kind->verb) + "\"");
    STRCMP_EQUAL("", step.errors().c_str());
    ProbeSink sink;
    sink.keep = false;
    step.step().connect(&sink, &step.refusals);
    size_t allocations = 0;
    {
      AllocationCount counted;
      for (int index = 0; index < 100; ++index) step.send(index, index % 5, index % 2 == 0 ? "a" : "b");
      allocations = counted.count();
    }
    UNSIGNED_LONGS_EQUAL(0, allocations);
    CHECK(sink.count > 0);
  }
}

TEST(StreamFunction, refuses_stored_state_that_cannot_be) {
  make(average_kind);
  give("a", "3");
  rig->save(saved);
  // The slot's header has 24 bytes, behind the entry's 6; then present, count, total.
  for (auto& [index, base] : saved.parts.at("f").base) base.second.at(6 + 24 + 1) = 2;
  for (auto& [index, delta] : saved.parts.at("f").deltas) delta.at(6 + 24 + 1) = 2;
  rig = std::make_unique<StepRig>(toml);
  const Status status = rig->restore(saved);
  CHECK_FALSE(status.ok());
  STRCMP_CONTAINS("a key's stored state is malformed", status.text());
}

TEST(StreamFunction, a_restart_at_any_point_changes_nothing) {
  const auto seed = static_cast<uint32_t>(std::random_device()());
  printf("seed %u ", seed);
  for (const StepKind* kind : {&average_kind, &sliding_list, &refusing_list, &sliding_map, &refusing_map, &once}) {
    std::mt19937 random(seed);
    registered.reset();
    make(*kind);
    StepRig uncut(toml);
    std::string expected, output;
    for (int index = 0; index < 200; ++index) {
      const std::string device(1, static_cast<char>('a' + random() % 4));
      const std::string line =
          record_line(device, std::to_string(static_cast<int>(random() % 6) - 2), static_cast<int64_t>(random() % 1000));
      uncut.feed(line);
      rig->feed(line);
      expected += uncut.take_output();
      output += rig->take_output();
      if (random() % 5 == 0) restart();
    }
    STRCMP_EQUAL(expected.c_str(), output.c_str());
    CHECK(expected.size() > 20);
  }
}
