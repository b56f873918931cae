// Stream: a pipeline written in C++ is the pipeline that the same words in TOML would be.
#include "agent/api/stream.h"

#include <memory>
#include <string>

#include "agent/api/function.h"
#include "firmware-tests/support/registered_kind.h"
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

class Double final : public FlatMapFunction {
 public:
  explicit Double(FunctionBuild& build)
      : value_(build.input<double>("value")), twice_(build.output<double>("twice")), times_(build.options().number("times")) {}
  void flat_map(const Record& record, Collector& out) override {
    twice_.set(value_.of(record).value_or(0) * times_);
    out.collect();
  }

 private:
  InputField<double> value_;
  OutputField<double> twice_;
  double times_;
};

class Odd final : public FilterFunction {
 public:
  explicit Odd(FunctionBuild& build) : twice_(build.input<double>("twice")) {}
  bool filter(const Record& record) override { return static_cast<int>(twice_.of(record).value_or(0)) % 4 != 0; }

 private:
  InputField<double> twice_;
};

class Marked final : public MapFunction {
 public:
  explicit Marked(FunctionBuild& build) : mark_(build.output<std::string_view>("mark")) {}
  void map(const Record&) override { mark_.set("seen"); }

 private:
  OutputField<std::string_view> mark_;
};

constexpr StepOption times_options[] = {
    {.key = "times", .type = StepOptionType::Number, .standard = "2", .documentation = "A factor.", .example = "times = 2"}};
const StepKind doubling = step_kind<Double>("double", "Doubles.", times_options);
const StepKind odd = step_kind<Odd>("odd", "Odd ones.");
const StepKind marked = step_kind<Marked>("marked", "Marks.");

constexpr const char* source =
    "mqtt = 'local', topics = ['t'], format = 'json', event_time = { field = 'ts', max_delay = '0s' }, "
    "fields = { device = 'string(8)', value = 'float', ts = 'time(ms)' }";
constexpr const char* results = "mqtt = 'local', topic = 'results', format = 'json'";

}  // namespace

TEST_GROUP(Stream) {
  Stream stream = Stream::from("example", source);

  void teardown() override {
    for (const StepKind* kind : {&doubling, &odd, &marked}) unregister_step_kind(*kind);
  }
  std::string problems() { return StepRig(stream.to_toml(results)).problems(); }
  std::string results_of(const std::string& lines) {
    StepRig rig(stream.to_toml(results));
    STRCMP_EQUAL("", rig.problems().c_str());
    rig.feed_lines(lines);
    rig.finish();
    return rig.take_output();
  }
};

TEST(Stream, chains_texts_and_functions) {
  stream.filter("value > 0")
      .map({{"value", "value + 1"}, {"a \"name\"", "1"}})
      .key_by({"device"})
      .max_keys(5, "oldest")
      .flat_map("twice", doubling, "times = 3")
      .key_by({"device"})
      .filter("odd", odd)
      .map("mark", marked);
  STRCMP_EQUAL("{\"device\":\"a\",\"twice\":9,\"mark\":\"seen\"}\n{\"device\":\"b\",\"twice\":15,\"mark\":\"seen\"}\n",
               results_of("{\"device\":\"a\",\"value\":2,\"ts\":1}\n{\"device\":\"a\",\"value\":-2,\"ts\":2}\n"
                          "{\"device\":\"a\",\"value\":3,\"ts\":2}\n{\"device\":\"b\",\"value\":4,\"ts\":2}\n")
                   .c_str());
}

TEST(Stream, has_windows_and_every_other_step) {
  stream.step("range = { field = 'value', max = 100 }")
      .key_by({"device"})
      .window("seconds", "tumbling = '1s'")
      .aggregate({{"n", "count(value)"}, {"mean", "avg(value)"}})
      .key_by({"device"})
      .step("id = 'moved'\ndeadband = { field = 'mean', absolute = 1 }");
  STRCMP_EQUAL("{\"device\":\"a\",\"n\":2,\"mean\":2,\"window_start\":0,\"window_end\":1000}\n",
               results_of("{\"device\":\"a\",\"value\":1,\"ts\":1}\n{\"device\":\"a\",\"value\":3,\"ts\":2}\n"
                          "{\"device\":\"a\",\"value\":101,\"ts\":3}\n{\"device\":\"a\",\"value\":2.5,\"ts\":1000}\n")
                   .c_str());
}

TEST(Stream, takes_options_of_the_pipeline) {
  stream.with("checkpoint = { interval = '7s' }").filter("value > 0");
  const LoadedConfig config = load_steps(stream.to_toml(results), TemporaryDirectory());
  UNSIGNED_LONGS_EQUAL(0, config.diagnostics.errors());
  LONGS_EQUAL(7000, config.specification.pipeline.at(0).checkpoint.interval);
}

TEST(Stream, a_mistake_is_shown_at_its_place) {
  stream.filter("valeu > 0 and device = \"a\\b\"");
  const std::string text = problems();
  STRCMP_CONTAINS("error: ", text.c_str());
  STRCMP_CONTAINS("^~~~~ did you mean \"value\"?", text.c_str());
}

TEST(Stream, a_window_without_aggregates_and_a_function_without_its_field_are_mistakes) {
  stream.window("w", "tumbling = '1s'");
  STRCMP_CONTAINS("\"window\" needs \"aggregate\"", problems().c_str());
  stream = Stream::from("example", source);
  stream.filter("odd", odd);
  STRCMP_CONTAINS("there is no field \"twice\" at this step", problems().c_str());
}
