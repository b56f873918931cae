// Faults that a review of the engine found, each as it was found.
#include <algorithm>
#include <set>

#include "agent/model/step_kind.h"
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

std::string step(const std::string& body) { return "[[pipeline.step]]\n" + body + "\n"; }

std::string per_device(const std::string& more) {
  return "[pipeline.source]\nmqtt = \"local\"\ntopics = [\"s/+\"]\nformat = \"json\"\n"
         "fields = { device = \"string(4)\", room = \"string(4)\", v = \"int\", ts = \"time(ms)\" }\n"
         "event_time = { field = \"ts\", max_delay = \"0s\", per = \"device\"" +
         more + " }\n";
}

}  // namespace

TEST_GROUP(EngineReview){};

TEST(EngineReview, a_verb_that_is_no_table_is_an_error_and_no_crash) {
  for (const StepKind* kind : step_kinds()) {
    if (kind->custom) continue;
    const bool nothing_is_needed =
        std::ranges::all_of(kind->options, [](const StepOption& option) { return option.standard != nullptr; });
    for (const char* value : {"\"value > 0\"", "5", "true", "[1]", "{}"}) {
      StepRig rig(step("id = \"x\"\n" + std::string(kind->verb) + " = " + value));
      const bool right = nothing_is_needed && std::string_view(value) == "{}";
      CHECK_TRUE_TEXT(right ? rig.problems().empty() : rig.problems().size() > 10, kind->verb);
    }
  }
}

TEST(EngineReview, an_every_beyond_32_bits_is_refused) {
  StepRig rig(step("id = \"x\"\nwindow = { count = 4, every = 4294967296 }\naggregate = { n = \"count()\" }"));
  CHECK(rig.problems().size() > 10);
}

TEST(EngineReview, a_state_that_no_machine_can_hold_is_refused) {
  StepRig rig(
      step("id = \"x\"\nkey_by = [\"device\"]\nmax_keys = 10000000\n"
           "fill = { field = \"value\", method = \"linear\", max_gap = \"1h\", max_held = 50 }"));
  STRCMP_CONTAINS("more than weir can reserve", rig.problems().c_str());
}

TEST(EngineReview, what_is_kept_under_another_key_than_the_device_still_comes_out) {
  StepRig rig(per_device("") + step("id = \"calm\"\nkey_by = [\"room\"]\ndebounce = { field = \"v\", time = \"1s\" }") +
              step("id = \"w\"\nkey_by = [\"device\"]\nwindow = { tumbling = \"10s\" }\naggregate = { n = \"count()\" }"));
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed_lines(
      "{\"device\":\"a\",\"room\":\"r\",\"v\":1,\"ts\":0}\n{\"device\":\"a\",\"room\":\"r\",\"v\":2,\"ts\":5000}\n"
      "{\"device\":\"a\",\"room\":\"r\",\"v\":3,\"ts\":30000}\n");
  rig.finish();
  CHECK(!rig.take_output().empty());
}

TEST(EngineReview, a_restart_makes_no_device_idle) {
  const std::string toml =
      per_device(", idle = \"10s\"") + step("id = \"w\"\nwindow = { tumbling = \"1s\" }\naggregate = { n = \"count()\" }");
  SavedRig saved;
  {
    StepRig rig(toml);
    rig.feed("{\"device\":\"a\",\"v\":1,\"ts\":500}", 1000);
    rig.feed("{\"device\":\"b\",\"v\":1,\"ts\":5000}", 1000);
    rig.save(saved);
  }
  StepRig rig(toml);
  CHECK(rig.restore(saved).ok());
  rig.graph().start(1'000'000);
  rig.check_idle(1'001'000);
  rig.feed("{\"device\":\"b\",\"v\":1,\"ts\":6000}", 1'001'000);
  rig.feed("{\"device\":\"a\",\"v\":1,\"ts\":900}", 1'002'000);
  UNSIGNED_LONGS_EQUAL(0, rig.counts().late);
}

TEST(EngineReview, an_input_that_is_heard_again_counts_at_once) {
  const char* source =
      "\nmqtt = \"local\"\nformat = \"json\"\nfields = { v = \"int\", ts = \"time(ms)\" }\n"
      "event_time = { field = \"ts\", max_delay = \"0s\", idle = \"10s\" }\n";
  std::string second = source;
  second.replace(second.find("mqtt = \"local\"\n"), 15, "");
  StepRig rig("[[pipeline.source]]\nname = \"one\"\ntopics = [\"one/+\"]" + std::string(source) +
              "[[pipeline.source]]\nname = \"two\"\ntopics = [\"two/+\"]" + second +
              step("id = \"both\"\nunion = [\"one\", \"two\"]") +
              step("id = \"w\"\nwindow = { tumbling = \"1s\" }\naggregate = { n = \"count()\" }"));
  STRCMP_EQUAL("", rig.problems().c_str());
  rig.feed("two/a {\"v\":1,\"ts\":0}", 0);
  rig.feed("one/a {\"v\":1,\"ts\":1500}", 11'000);
  rig.check_idle(11'000);
  rig.feed("two/a {\"v\":1,\"ts\":2000}", 11'100);
  rig.feed("one/a {\"v\":1,\"ts\":9000}", 11'200);
  rig.feed("two/a {\"v\":1,\"ts\":2100}", 11'300);
  UNSIGNED_LONGS_EQUAL(0, rig.counts().late);
}

TEST(EngineReview, copies_of_a_record_that_come_together_again_have_identities_of_their_own) {
  struct Identities final : ReplayHandler {
    std::set<uint64_t> all;
    void on_result(const Schema&, const Record& record) override { all.insert(record.identity); }
    void on_refused(std::string_view, const char*, std::string_view) override {}
  } identities;
  TemporaryDirectory directory;
  LoadedConfig config =
      load_steps(step("id = \"a\"\nfrom = \"source\"\nmap = { n = \"1\" }") +
                     step("id = \"b\"\nfrom = \"source\"\nmap = { n = \"2\" }") + step("union = [\"a\", \"b\"]"),
                 directory);
  Arena arena(size_t{1} << 26);
  Replay replay("p", build_graph(config.specification.pipeline.at(0), config.diagnostics, arena), arena, identities);
  replay.feed("sensors/x", "{\"device\":\"d\",\"value\":1,\"ts\":0}");
  UNSIGNED_LONGS_EQUAL(2, identities.all.size());
}

TEST(EngineReview, timers_are_part_of_a_layout) {
  auto layout = [](const std::string& more) {
    StepRig rig(step("id = \"x\"\nkey_by = [\"device\"]\nfill = { field = \"value\", method = \"linear\"" + more + " }"));
    std::vector<Stateful*> parts;
    rig.graph().collect_stateful(parts);
    return std::string(parts.at(0)->layout());
  };
  CHECK(layout("") != layout(", max_gap = \"1min\""));
}

TEST(EngineReview, a_span_beyond_64_bits_repeats_an_alarm_no_more_than_once) {
  StepRig rig(step("id = \"x\"\nalarm = { on = \"value > 80\", repeat = \"1min\" }"));
  rig.feed("{\"device\":\"a\",\"value\":90,\"ts\":-9223372036854775807}");
  rig.feed("{\"device\":\"a\",\"value\":90,\"ts\":9223372036854775806}");
  CHECK(rig.counts().results < 10);
}
