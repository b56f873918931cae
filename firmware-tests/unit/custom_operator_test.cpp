// An operator that a program registers: its options, what is said about wrong ones, its state, its place in the schema.
#include <memory>
#include <string>

#include "agent/config/load.h"
#include "agent/operators/step_build.h"
#include "agent/operators/value_cell.h"
#include "firmware-tests/support/registered_kind.h"
#include "firmware-tests/support/step_rig.h"

#include <CppUTest/TestHarness.h>

using namespace weir;
using namespace weir::test;

namespace {

/// What the newest one was made with.
std::string options_seen;

std::string option_text(const StepOptions& options) {
  std::string text = std::string(options.boolean("flag") ? "flag" : "-") + " " + std::to_string(options.integer("count")) +
                     " " + std::to_string(options.number("factor")) + " " + std::to_string(options.integer("gap")) + "ms " +
                     std::to_string(options.integer("room")) + "B " + options.text("field").value + " " +
                     options.text("mode").value + " [";
  for (const Text& each : options.list("names")) text += each.value + ",";
  text += "] {";
  for (const NamedExpression& each : options.expressions("more")) text += each.name + "=" + each.expression.value + ",";
  return text + "}";
}

/// Counts the records of a key for which its expression is true, and hands each on with the count in place of its number.
class Tally final : public KeyedFunction {
 public:
  Tally(Program condition, const Schema& input) : condition_(std::move(condition)) {
    schema_ = input;
    schema_.add({"tally", Type::Int, 0});
  }
  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return sizeof(int64_t); }
  void describe(StateLayout& layout) const override {
    layout.kind = "tally";
    layout.fields.add_i64("tally");
  }
  bool valid(const uint8_t* state) const override { return load<int64_t>(state) >= 0; }
  Outcome process(const Record& record, KeyContext& context) override {
    const Value counts = condition_.evaluate(record.values);
    if (counts.is_null() || !counts.as_bool()) return Outcome::Filtered;
    const int64_t tally = load<int64_t>(context.peek()) + 1;
    store(context.state().data(), tally);
    Value row[4];
    std::copy(record.values.begin(), record.values.end(), row);
    row[3] = Value::of_int(tally);
    return context.forward(record, row);
  }

 private:
  Program condition_;
  Schema schema_;
};

std::unique_ptr<Operator> make_tally(StepBuild& build) {
  options_seen = option_text(build.options());
  (void)build.field("field", number_types);
  for (const NamedExpression& each : build.options().expressions("more")) (void)build.expression(each.expression, Type::Null);
  if (build.options().integer("count") == 13) build.error("count", "13 brings no luck", "take another");
  Program condition = build.expression("when", Type::Bool);
  if (!build.good()) return nullptr;
  return build.keyed(std::make_unique<Tally>(std::move(condition), build.input()));
}

constexpr const char* modes[] = {"slow", "fast"};
constexpr StepOption tally_options[] = {
    {.key = "flag", .type = StepOptionType::Boolean, .standard = "false", .documentation = "A flag."},
    {.key = "count",
     .type = StepOptionType::Integer,
     .standard = "7",
     .minimum = "1",
     .maximum = "20",
     .documentation = "A count."},
    {.key = "factor", .type = StepOptionType::Number, .standard = "0.5", .minimum = "0", .documentation = "A factor."},
    {.key = "gap", .type = StepOptionType::Duration, .standard = "3s", .documentation = "A gap."},
    {.key = "room", .type = StepOptionType::Size, .standard = "2KiB", .documentation = "Some room."},
    {.key = "field", .type = StepOptionType::Text, .required = true, .minimum = "1", .documentation = "A field."},
    {.key = "mode", .type = StepOptionType::Choice, .standard = "slow", .choices = modes, .documentation = "A mode."},
    {.key = "when", .type = StepOptionType::Expression, .standard = "true", .documentation = "What counts."},
    {.key = "names", .type = StepOptionType::TextList, .documentation = "Some names."},
    {.key = "more", .type = StepOptionType::ExpressionTable, .documentation = "Some expressions."},
};
const StepKind tally = {
    .verb = "tally", .documentation = "Counts.", .options = tally_options, .keyed = true, .custom = true, .make = make_tally};

std::string step_with(const std::string& options) {
  return "[[pipeline.step]]\nid = \"t\"\nkey_by = [\"device\"]\nmax_keys = 10\noperator = \"tally\"\n" + options + "\n";
}

}  // namespace

TEST_GROUP(CustomOperator) {
  RegisteredKind registered{tally};

  static std::string problems(const std::string& options) { return StepRig(step_with(options)).problems(); }
};

TEST(CustomOperator, gets_options_of_every_type) {
  StepRig rig(step_with(
      "options = { flag = true, count = 20, factor = 2, gap = \"1min\", room = \"1MiB\", field = \"value\", mode = \"fast\", "
      "when = \"value > 1\", names = [\"a\", \"b\"], more = { x = \"value * 2\" } }"));
  STRCMP_EQUAL("", rig.problems().c_str());
  STRCMP_EQUAL("flag 20 2.000000 60000ms 1048576B value fast [a,b,] {x=value * 2,}", options_seen.c_str());
}

TEST(CustomOperator, has_its_defaults) {
  STRCMP_EQUAL("", problems("options = { field = \"value\" }").c_str());
  STRCMP_EQUAL("- 7 0.500000 3000ms 2048B value slow [] {}", options_seen.c_str());
}

TEST(CustomOperator, counts_per_key) {
  StepRig rig(step_with("options = { field = \"value\", when = \"value > 1\" }"));
  rig.feed_lines(
      "{\"device\":\"a\",\"value\":2,\"ts\":0}\n{\"device\":\"b\",\"value\":2,\"ts\":0}\n"
      "{\"device\":\"a\",\"value\":1,\"ts\":0}\n{\"device\":\"a\",\"value\":3,\"ts\":0}\n");
  STRCMP_EQUAL(
      "{\"device\":\"a\",\"value\":2,\"ts\":0,\"tally\":1}\n{\"device\":\"b\",\"value\":2,\"ts\":0,\"tally\":1}\n"
      "{\"device\":\"a\",\"value\":3,\"ts\":0,\"tally\":2}\n",
      rig.take_output().c_str());
}

TEST(CustomOperator, goes_on_from_a_checkpoint) {
  const std::string step = step_with("options = { field = \"value\" }");
  StepRig before(step);
  before.feed("{\"device\":\"a\",\"value\":2,\"ts\":0}");
  SavedRig saved;
  before.save(saved);
  StepRig after(step);
  CHECK(after.restore(saved).ok());
  after.feed("{\"device\":\"a\",\"value\":2,\"ts\":0}");
  STRCMP_EQUAL("{\"device\":\"a\",\"value\":2,\"ts\":0,\"tally\":2}\n", after.take_output().c_str());
}

TEST(CustomOperator, has_its_state_in_the_memory_plan) {
  StepRig rig(step_with("options = { field = \"value\" }"));
  bool found = false;
  for (const Pool& pool : rig.arena().pools())
    found |= pool.name == "example.t.slots" && pool.reason.starts_with("10 keys x ") && pool.bytes >= 10 * sizeof(int64_t);
  CHECK(found);
}

TEST(CustomOperator, shows_bad_options_at_their_place) {
  const std::string text = problems("options = { field = \"value\", count = 21, flag = 1, mode = \"fats\", gpa = \"1s\" }");
  STRCMP_CONTAINS("c.toml:16:38: error: \"count\" must be from 1 to 20, not 21\n", text.c_str());
  STRCMP_CONTAINS("\n                                     ^~\n", text.c_str());
  STRCMP_CONTAINS("c.toml:16:49: error: \"flag\" must be", text.c_str());
  STRCMP_CONTAINS("c.toml:16:59: error: unknown value \"fats\" for \"mode\"\n", text.c_str());
  STRCMP_CONTAINS("did you mean \"fast\"?", text.c_str());
  STRCMP_CONTAINS("c.toml:16:67: error: unknown key \"gpa\"", text.c_str());
  STRCMP_CONTAINS("did you mean \"gap\"?", text.c_str());
}

TEST(CustomOperator, shows_what_it_finds_wrong_itself_at_its_place) {
  const std::string text = problems("options = { field = \"valve\", count = 13, when = \"value >\", more = { x = \"vlue\" } }");
  STRCMP_CONTAINS("c.toml:16:22: error: there is no field \"valve\" at this step\n", text.c_str());
  STRCMP_CONTAINS("^~~~~ did you mean \"value\"?", text.c_str());
  STRCMP_CONTAINS("c.toml:16:38: error: 13 brings no luck\n", text.c_str());
  STRCMP_CONTAINS("^ take another", text.c_str());
  STRCMP_CONTAINS("c.toml:16:57: error: expected a value", text.c_str());
  STRCMP_CONTAINS("c.toml:16:74: error: unknown field \"vlue\"", text.c_str());
}

TEST(CustomOperator, misses_what_is_required_also_where_no_options_are_written) {
  STRCMP_EQUAL("c.toml:15:12: error: [pipeline.step.options] needs \"field\"\noperator = \"tally\"\n           ^~~~~~~\n",
               problems("").c_str());
  STRCMP_EQUAL(
      "c.toml:16:11: error: [pipeline.step.options] needs \"field\"\noptions = { count = 1 }\n          ^~~~~~~~~~~~~\n",
      problems("options = { count = 1 }").c_str());
}

TEST(CustomOperator, an_unknown_name_is_reported_with_the_nearest) {
  const std::string text = StepRig("[[pipeline.step]]\nid = \"t\"\noperator = \"taly\"\n").problems();
  STRCMP_CONTAINS("c.toml:13:13: error: unknown operator \"taly\"\n", text.c_str());
  STRCMP_CONTAINS("^~~~ did you mean \"tally\"?", text.c_str());
}

TEST(CustomOperator, is_in_the_schema_and_on_the_reference_page) {
  const std::string schema = config_schema();
  STRCMP_CONTAINS("\"if\": { \"required\": [\"operator\"], \"properties\": { \"operator\": { \"const\": \"tally\" } } }",
                  schema.c_str());
  STRCMP_CONTAINS("\"description\": \"Some expressions.\"", schema.c_str());
  const std::string page = config_reference();
  STRCMP_CONTAINS("\n## operator = \"tally\"\n\nCounts.\n", page.c_str());
  STRCMP_CONTAINS("| `gap` | duration | `\"3s\"` | A gap. |\n", page.c_str());
}

TEST(CustomOperator, is_forgotten_by_the_schema_with_its_program) {
  unregister_step_kind(tally);
  CHECK(config_schema().find("tally") == std::string::npos);
  CHECK(config_reference().find("tally") == std::string::npos);
  CHECK(find_step_kind("tally") == nullptr);
}
