// The triggers of checkpoints as a configuration states them.
#include "agent/app/plan_triggers.h"

#include "agent/model/trigger_kind.h"
#include "firmware-tests/support/built_pipelines.h"
#include "firmware-tests/unit/config_fixture.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(PlanTriggers) {
  ConfigFixture fixture;
  Arena arena{64 << 20};

  LoadedConfig load(const std::string& checkpoint) {
    CHECK_TRUE(fixture.edit("checkpoint = { interval = \"5s\", records = 10000 }", "checkpoint = " + checkpoint));
    LoadedConfig config = fixture.load();
    STRCMP_EQUAL("", fixture.shown(config).c_str());
    return config;
  }
  std::string problems(const std::string& checkpoint) {
    CHECK_TRUE(fixture.edit("checkpoint = { interval = \"5s\", records = 10000 }", "checkpoint = " + checkpoint));
    LoadedConfig config = fixture.load();
    build_pipelines(config, arena);
    return fixture.shown(config);
  }
};

TEST(PlanTriggers, take_what_is_written) {
  LoadedConfig config = load(
      "{ interval = \"1min\", min_pause = \"2s\", skip_clean = false, mode = \"all\", records = 7, bytes = \"1MiB\", "
      "dirty_keys = 9, dirty_bytes = \"2KiB\", unacked = 11, outbox_rows = 13, event_time = \"3s\", timeout = \"4s\", "
      "tolerable_failures = 0, max_age = \"5min\", on_max_age = \"restart\" }");
  const CheckpointPolicy policy = checkpoint_policy(config.specification.pipeline[0]);
  LONGS_EQUAL(60'000, policy.interval_ms);
  LONGS_EQUAL(2'000, policy.min_pause_ms);
  CHECK_FALSE(policy.skip_clean);
  CHECK_TRUE(policy.all);
  UNSIGNED_LONGS_EQUAL(7, policy.records);
  UNSIGNED_LONGS_EQUAL(1 << 20, policy.bytes);
  UNSIGNED_LONGS_EQUAL(9, policy.dirty_keys);
  UNSIGNED_LONGS_EQUAL(2048, policy.dirty_bytes);
  UNSIGNED_LONGS_EQUAL(11, policy.unacked);
  UNSIGNED_LONGS_EQUAL(13, policy.outbox_rows);
  LONGS_EQUAL(3'000, policy.event_time_ms);
  LONGS_EQUAL(4'000, policy.timeout_ms);
  UNSIGNED_LONGS_EQUAL(0, policy.tolerable_failures);
  LONGS_EQUAL(300'000, policy.max_age_ms);
  CHECK(policy.on_max_age == CheckpointPolicy::OnMaxAge::Restart);
}

TEST(PlanTriggers, are_off_where_nothing_is_written) {
  LoadedConfig config = load("{ interval = \"5s\" }");
  const CheckpointPolicy policy = checkpoint_policy(config.specification.pipeline[0]);
  CHECK_TRUE(policy.skip_clean);
  CHECK_FALSE(policy.all);
  UNSIGNED_LONGS_EQUAL(0, policy.records + policy.bytes + policy.dirty_keys + policy.outbox_rows);
  UNSIGNED_LONGS_EQUAL(0, policy.dirty_bytes);
  UNSIGNED_LONGS_EQUAL(UINT64_MAX, policy.tolerable_failures);
  LONGS_EQUAL(0, policy.max_age_ms);
  CHECK_TRUE(make_triggers(config.specification.pipeline[0], config.diagnostics, arena).empty());
}

TEST(PlanTriggers, ask_an_expression_over_what_has_gathered) {
  LoadedConfig config = load("{ when = \"since_ms >= 60000 and dirty_keys > 0 or bytes - 2 * records > 10\" }");
  std::vector<NamedTrigger> triggers = make_triggers(config.specification.pipeline[0], config.diagnostics, arena);
  LONGS_EQUAL(1, triggers.size());
  CHECK(triggers[0].reason == CheckpointReason::When);
  CheckpointTrigger& when = *triggers[0].trigger;
  CheckpointContext context;
  context.since_ms = 60'000;
  CHECK(when.evaluate(context) == CheckpointTrigger::Ask::No);
  context.dirty_keys = 1;
  CHECK(when.evaluate(context) == CheckpointTrigger::Ask::Soft);
  context.since_ms = 59'999;
  CHECK(when.evaluate(context) == CheckpointTrigger::Ask::No);
  context.bytes = 21;
  context.records = 5;
  CHECK(when.evaluate(context) == CheckpointTrigger::Ask::Soft);
}

TEST(PlanTriggers, every_name_of_the_documentation_can_be_asked_for) {
  LoadedConfig config = load(
      "{ when = \"since_ms + since_attempt_ms + last_duration_ms + failures + records + bytes + unacked + dirty_keys + "
      "dirty_bytes + "
      "outbox_rows + event_time_ms = 66\" }");
  std::vector<NamedTrigger> triggers = make_triggers(config.specification.pipeline[0], config.diagnostics, arena);
  LONGS_EQUAL(1, triggers.size());
  CHECK(triggers[0].trigger->evaluate({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) == CheckpointTrigger::Ask::Soft);
}

namespace {

/// Asks as soon as so many bytes of a budget are left.
struct BudgetTrigger final : CheckpointTrigger {
  explicit BudgetTrigger(int64_t most) : most_bytes(static_cast<uint64_t>(most)) {}
  Ask evaluate(const CheckpointContext& context) override { return context.bytes >= most_bytes ? Ask::Hard : Ask::No; }
  uint64_t most_bytes;
};

std::unique_ptr<CheckpointTrigger> make_budget(const StepOptions& options, std::string& problem) {
  if (options.integer("most") == 13) {
    problem = "13 brings bad luck";
    return nullptr;
  }
  return std::make_unique<BudgetTrigger>(options.integer("most"));
}

constexpr StepOption budget_options[] = {{.key = "most",
                                          .type = StepOptionType::Size,
                                          .standard = "100B",
                                          .minimum = "1B",
                                          .documentation = "Bytes that may be lost.",
                                          .example = "most = \"1KiB\""}};
constexpr TriggerKind budget = {
    .name = "budget", .documentation = "By what may be lost.", .options = budget_options, .make = make_budget};

/// Registered for the length of a test.
struct Registered {
  Registered() { register_trigger_kind(budget); }
  ~Registered() { unregister_trigger_kind(budget); }
};

}  // namespace

TEST(PlanTriggers, make_a_registered_one_with_its_options_or_their_defaults) {
  Registered registered;
  for (const auto& [text, most] : {std::pair<const char*, uint64_t>{"{ trigger = \"budget\" }", 100},
                                   {"{ trigger = \"budget\", options = { most = \"1KiB\" }, when = \"records > 5\" }", 1024}}) {
    fixture.write(example_configuration());
    LoadedConfig config = load(text);
    std::vector<NamedTrigger> triggers = make_triggers(config.specification.pipeline[0], config.diagnostics, arena);
    CHECK_TRUE(!triggers.empty() && triggers[0].reason == CheckpointReason::Trigger);
    CheckpointContext context;
    context.bytes = most - 1;
    CHECK(triggers[0].trigger->evaluate(context) == CheckpointTrigger::Ask::No);
    context.bytes = most;
    CHECK(triggers[0].trigger->evaluate(context) == CheckpointTrigger::Ask::Hard);
    UNSIGNED_LONGS_EQUAL(most == 100 ? 1 : 2, triggers.size());
  }
}

TEST(PlanTriggers, say_what_is_wrong_with_a_registered_one_at_its_place) {
  Registered registered;
  const std::pair<const char*, const char*> faults[] = {
      {"{ trigger = \"buget\" }", "error: unknown trigger \"buget\""},
      {"{ trigger = \"budget\", options = { least = 3 } }", "error: unknown key \"least\""},
      {"{ trigger = \"budget\", options = { most = \"0B\" } }", "\"most\" must be"},
      {"{ trigger = \"budget\", options = { most = \"13B\" } }", "error: 13 brings bad luck"},
  };
  for (const auto& [text, message] : faults) {
    fixture.write(example_configuration());
    STRCMP_CONTAINS(message, problems(text).c_str());
  }
}

TEST(PlanTriggers, say_that_a_program_has_registered_none) {
  STRCMP_CONTAINS("this program has registered no triggers of its own", problems("{ trigger = \"budget\" }").c_str());
}

TEST(PlanTriggers, say_where_an_expression_is_wrong) {
  STRCMP_CONTAINS("error: unknown field \"dirty_kees\"", problems("{ when = \"dirty_kees > 3\" }").c_str());
}

TEST(PlanTriggers, say_that_an_expression_must_be_a_condition) {
  STRCMP_CONTAINS("bool", problems("{ when = \"dirty_keys + 3\" }").c_str());
}
