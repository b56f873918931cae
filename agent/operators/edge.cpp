// edge: a record goes on when a value differs from the one before it of the same key, with that one as an added field. Null
// values are passed over.
//
// State of a key: the value before, a ValueCell.
#include <algorithm>

#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"
#include "agent/operators/value_cell.h"
#include "agent/operators/value_order.h"

namespace weir {
namespace {

enum class Direction : uint8_t { Changed, Rising, Falling };

Direction direction_of(std::string_view text) {
  if (text == "rising") return Direction::Rising;
  return text == "falling" ? Direction::Falling : Direction::Changed;
}

uint32_t length_of(const Program& program) { return program.type() == Type::String ? program.max_length() : 0; }

struct Watched {
  std::string text;  // of the expression
  Program value;
  Direction direction = Direction::Changed;
  bool first = false;
};

class Edge final : public KeyedFunction {
 public:
  /// `row` has room for a record of `schema`, the input's fields and the value before.
  Edge(Watched watched, Schema schema, std::span<Value> row)
      : watched_(std::move(watched)),
        cell_(watched_.value.type(), length_of(watched_.value)),
        schema_(std::move(schema)),
        row_(row) {}

  const Schema& schema() const override { return schema_; }
  uint32_t state_bytes() const override { return cell_.bytes(); }
  void describe(StateLayout& layout) const override {
    layout.kind = "edge";
    layout.add_shape("value", watched_.text);
    layout.fields.add_cell("before", watched_.value.type(), length_of(watched_.value));
  }
  bool valid(const uint8_t* state) const override { return cell_.valid(state); }

  Outcome process(const Record& record, KeyContext& context) override {
    const Value now = watched_.value.evaluate(record.values);
    if (now.is_null()) return Outcome::Filtered;
    const Value before = cell_.get(context.peek());
    const int order = before.is_null() ? 0 : compare_values(now, before);
    if (!before.is_null() && order == 0) return Outcome::Filtered;
    Outcome outcome = Outcome::Applied;
    if (before.is_null() ? watched_.first : is_edge(order)) {
      std::ranges::copy(record.values, row_.begin());
      row_.back() = before;
      outcome = context.forward(record, row_);
    }
    cell_.put(context.state().data(), now);  // after the old one was handed on: its text lies there
    return outcome;
  }

 private:
  bool is_edge(int order) const {
    switch (watched_.direction) {
      case Direction::Rising:
        return order > 0;
      case Direction::Falling:
        return order < 0;
      case Direction::Changed:
        break;
    }
    return order != 0;
  }

  Watched watched_;
  ValueCell cell_;
  Schema schema_;
  std::span<Value> row_;
};

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  Watched watched;
  watched.text = options.text("value").value;
  watched.value = build.expression("value", Type::Null);
  watched.direction = direction_of(options.text("on").value);
  watched.first = options.boolean("first");
  if (!build.good()) return nullptr;
  if (watched.value.type() == Type::Null) {
    build.error("value", "null alone has no type", "name a field or an expression over fields");
    return nullptr;
  }
  Schema schema = build.input();
  build.add_field(schema, {options.text("previous").value, watched.value.type(), length_of(watched.value)}, "previous");
  if (!build.good()) return nullptr;
  const std::span<Value> row = build.arena().take<Value>(schema.size(), build.pool() + ".result", "1 row");
  return build.keyed(std::make_unique<Edge>(std::move(watched), std::move(schema), row));
}

constexpr const char* directions[] = {"changed", "rising", "falling"};

constexpr StepOption options[] = {
    {.key = "value",
     .type = StepOptionType::Expression,
     .required = true,
     .documentation = "What is watched: a field, or an expression of any type. Where it is null the record does not go on and "
                      "changes nothing.",
     .example = "value = \"pressure > 6.5\""},
    {.key = "on",
     .type = StepOptionType::Choice,
     .standard = "changed",
     .choices = directions,
     .documentation = "Which changes count: `rising` to a greater value (false to true), `falling` to a smaller one, or any.",
     .example = "on = \"rising\""},
    {.key = "first",
     .type = StepOptionType::Boolean,
     .standard = "false",
     .documentation = "Whether the first record of a key goes on as well, with null as the value before.",
     .example = "first = true"},
    {.key = "previous",
     .type = StepOptionType::Text,
     .standard = "previous",
     .minimum = "1",
     .maximum = "64",
     .documentation = "The name of the added field: the value before the change.",
     .example = "previous = \"was\""},
};

}  // namespace

const StepKind edge_step = {
    .verb = "edge",
    .documentation = "Verb: a record goes on when a value changes, rises or falls.",
    .options = options,
    .keyed = true,
    .make = make,
};

}  // namespace weir
