// range: plausibility. A value outside of [min, max], both ends included, becomes null or the nearer end, or the record is
// filtered out, or goes on with a flag. No state; costs two comparisons per field.
#include <algorithm>
#include <cmath>
#include <limits>

#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

enum class Action : uint8_t { Null, Drop, Clamp, Flag };

/// What is plausible. Ints are compared as ints: a double does not hold all of them.
struct Limits {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  int64_t low_int = INT64_MIN;   // the least int that is not below `low`
  int64_t high_int = INT64_MAX;  // the greatest int that is not above `high`
};

/// 2^63 is the least double above all ints.
constexpr double ints_end = 9223372036854775808.0;

/// False if no int lies within [low, high].
bool settle_ints(Limits& limits) {
  const double low = std::ceil(limits.low);
  const double high = std::floor(limits.high);
  if (low >= ints_end || high < -ints_end || low > high) return false;
  limits.low_int = low < -ints_end ? INT64_MIN : static_cast<int64_t>(low);
  limits.high_int = high >= ints_end ? INT64_MAX : static_cast<int64_t>(high);
  return true;
}

bool inside(const Limits& limits, const Value& value) {
  if (value.is_null()) return true;
  if (value.type() == Type::Int) return value.as_int() >= limits.low_int && value.as_int() <= limits.high_int;
  return value.as_float() >= limits.low && value.as_float() <= limits.high;
}

Value clamped(const Limits& limits, const Value& value) {
  if (value.type() == Type::Int) return Value::of_int(std::clamp(value.as_int(), limits.low_int, limits.high_int));
  return Value::of_float(std::clamp(value.as_float(), limits.low, limits.high));
}

struct RangeSpec {
  std::vector<uint32_t> fields;
  Limits limits;
  Action action = Action::Null;
};

class Range final : public Operator {
 public:
  /// With Action::Flag the last field of `schema` is the flag.
  Range(std::string id, RangeSpec spec, Schema schema, Arena& arena, const std::string& pool)
      : id_(std::move(id)), spec_(std::move(spec)), schema_(std::move(schema)) {
    row_ = arena.take<Value>(schema_.size(), pool + ".row", "1 row x " + std::to_string(schema_.size()) + " fields x 16 bytes");
  }

  std::string_view id() const override { return id_; }
  const Schema& schema() const override { return schema_; }

  Outcome process(const Record& record) override {
    std::ranges::copy(record.values, row_.begin());
    bool implausible = false;
    for (uint32_t field : spec_.fields) {
      if (inside(spec_.limits, row_[field])) continue;
      if (spec_.action == Action::Drop) return Outcome::Filtered;
      if (spec_.action == Action::Null) row_[field] = Value::null();
      if (spec_.action == Action::Clamp) row_[field] = clamped(spec_.limits, row_[field]);
      implausible = true;
    }
    if (spec_.action == Action::Flag) row_.back() = Value::of_bool(implausible);
    Record changed = record;
    changed.values = row_;
    return next().process(changed);
  }

 private:
  std::string id_;
  RangeSpec spec_;
  Schema schema_;
  std::span<Value> row_;
};

Action parse_action(std::string_view text) {
  if (text == "drop") return Action::Drop;
  if (text == "clamp") return Action::Clamp;
  return text == "flag" ? Action::Flag : Action::Null;
}

std::vector<uint32_t> watched_fields(StepBuild& build) {
  const StepOptions& options = build.options();
  std::vector<uint32_t> fields;
  if (options.given("field") == options.given("fields"))
    build.error(options.given("fields") ? "fields" : "range", "a range watches one \"field\" or several \"fields\"",
                "for example: field = \"value\"");
  else if (options.given("field"))
    fields.push_back(build.field("field", number_types));
  for (const Text& name : options.list("fields")) fields.push_back(build.field(name, number_types));
  return fields;
}

Limits limits_of(StepBuild& build, const std::vector<uint32_t>& fields) {
  const StepOptions& options = build.options();
  Limits limits;
  if (options.given("min")) limits.low = options.number("min");
  if (options.given("max")) limits.high = options.number("max");
  if (!options.given("min") && !options.given("max"))
    build.error("range", "a range needs \"min\" or \"max\"", "for example: min = -40, max = 125");
  const bool some_int = std::ranges::any_of(fields, [&](uint32_t field) { return build.input()[field].type == Type::Int; });
  if (limits.low > limits.high)
    build.error("max", "\"max\" is below \"min\"");
  else if (!settle_ints(limits) && some_int)
    build.error("max", "no int lies between \"min\" and \"max\"");
  return limits;
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  RangeSpec spec;
  spec.fields = watched_fields(build);
  spec.limits = limits_of(build, spec.fields);
  spec.action = parse_action(options.text("action").value);
  Schema schema = build.input();
  if (options.given("flag") != (spec.action == Action::Flag)) {
    build.error(options.given("flag") ? "flag" : "action", "action = \"flag\" and the flag's name go together",
                "for example: action = \"flag\", flag = \"implausible\"");
  } else if (spec.action == Action::Flag) {
    build.add_field(schema, {options.text("flag").value, Type::Bool, 0}, "flag");
  }
  if (!build.good()) return nullptr;
  return std::make_unique<Range>(build.id(), std::move(spec), std::move(schema), build.arena(), build.pool());
}

constexpr const char* actions[] = {"null", "drop", "clamp", "flag"};

constexpr StepOption options[] = {
    {.key = "field",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "The int or float field that is watched. Null is not out of range.",
     .example = "field = \"temperature\""},
    {.key = "fields",
     .type = StepOptionType::TextList,
     .minimum = "1",
     .documentation = "Several fields with the same limits, instead of `field`.",
     .example = "fields = [\"t1\", \"t2\"]"},
    {.key = "min",
     .type = StepOptionType::Number,
     .standard_note = "no lower limit",
     .documentation = "The least plausible value.",
     .example = "min = -40"},
    {.key = "max",
     .type = StepOptionType::Number,
     .standard_note = "no upper limit",
     .documentation = "The greatest plausible value.",
     .example = "max = 125"},
    {.key = "action",
     .type = StepOptionType::Choice,
     .standard = "null",
     .choices = actions,
     .documentation =
         "What happens to a value out of range: `null` empties it, `clamp` puts the nearer limit in its place, `drop` "
         "filters the record out, `flag` lets it be and says so in the field `flag`.",
     .example = "action = \"clamp\""},
    {.key = "flag",
     .type = StepOptionType::Text,
     .minimum = "1",
     .documentation = "With `action = \"flag\"`: the bool field to add, true if a value is out of range.",
     .example = "flag = \"implausible\""},
};

}  // namespace

const StepKind range_step = {
    .verb = "range",
    .documentation = "Verb: implausible values become null, are clamped or flagged, or their records are dropped.",
    .options = options,
    .make = make,
};

}  // namespace weir
