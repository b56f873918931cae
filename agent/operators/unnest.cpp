// unnest: wide to long. One record becomes one per listed field, with the field's name and its value in place of the list. The
// results are derived: the message itself is applied, or filtered out if nothing came of it. No state.
#include <algorithm>

#include "agent/base/hash.h"
#include "agent/operators/step_build.h"
#include "agent/operators/steps.h"

namespace weir {
namespace {

struct UnnestSpec {
  std::vector<uint32_t> fields;  // in the input
  std::vector<uint32_t> others;  // those that every result repeats
  bool skip_null = true;
};

class Unnest final : public Operator {
 public:
  /// `schema`: the others, then name and value.
  Unnest(std::string id, UnnestSpec spec, const Schema& input, Schema schema, Arena& arena, const std::string& pool)
      : id_(std::move(id)), id_hash_(hash64(as_bytes(id_))), spec_(std::move(spec)), input_(input), schema_(std::move(schema)) {
    row_ = arena.take<Value>(schema_.size(), pool + ".row", "1 row x " + std::to_string(schema_.size()) + " fields x 16 bytes");
  }

  std::string_view id() const override { return id_; }
  const Schema& schema() const override { return schema_; }
  uint32_t fan_out() const override { return static_cast<uint32_t>(spec_.fields.size()); }

  Outcome process(const Record& record) override {
    bool any = false;
    for (size_t ordinal = 0; ordinal < spec_.fields.size(); ++ordinal) {
      const Value& value = record.values[spec_.fields[ordinal]];
      if (spec_.skip_null && value.is_null()) continue;
      any = true;
      hand_on(record, ordinal, value);
    }
    return any ? Outcome::Applied : Outcome::Filtered;
  }

 private:
  void hand_on(const Record& record, size_t ordinal, const Value& value) {
    for (size_t index = 0; index < spec_.others.size(); ++index) row_[index] = record.values[spec_.others[index]];
    row_[spec_.others.size()] = Value::of_string(input_[spec_.fields[ordinal]].name);
    const bool widen = schema_[row_.size() - 1].type == Type::Float && value.type() == Type::Int;
    row_.back() = widen ? Value::of_float(static_cast<double>(value.as_int())) : value;
    Record result = record;
    result.values = row_;
    result.derived = true;
    result.identity = hash_chain(hash_chain(id_hash_, record.identity), uint64_t{ordinal});
    (void)next().process(result);
  }

  std::string id_;
  uint64_t id_hash_;
  UnnestSpec spec_;
  const Schema& input_;
  Schema schema_;
  std::span<Value> row_;
};

/// The type that holds the values of both fields; Type::Null if there is none.
Type common_type(Type left, Type right) {
  if (left == right) return left;
  return number_types.contains(left) && number_types.contains(right) ? Type::Float : Type::Null;
}

/// The field that takes the values of all listed ones.
Field value_field(StepBuild& build, const std::vector<uint32_t>& fields) {
  const Schema& input = build.input();
  Field field{build.options().text("value").value, input[fields[0]].type, 0};
  for (uint32_t position : fields) {
    const Type type = common_type(field.type, input[position].type);
    if (type == Type::Null) {
      build.error("fields",
                  "\"" + input[position].name + "\" is " + type_name(input[position].type) + " and \"" + input[fields[0]].name +
                      "\" is " + type_name(input[fields[0]].type) + ": one field cannot take both",
                  "use a step for each, or to_string in a map before this");
      return field;
    }
    field.type = type;
    field.max_length = std::max(field.max_length, input[position].max_length);
  }
  return field;
}

Field name_field(const StepBuild& build, const std::vector<uint32_t>& fields) {
  size_t length = 1;
  for (uint32_t position : fields) length = std::max(length, build.input()[position].name.size());
  return {build.options().text("name").value, Type::String, static_cast<uint32_t>(length)};
}

[[gnu::cold]] std::unique_ptr<Operator> make(StepBuild& build) {
  const StepOptions& options = build.options();
  UnnestSpec spec;
  spec.skip_null = options.boolean("skip_null");
  for (const Text& name : options.list("fields")) {
    const uint32_t position = build.field(name, all_types);
    if (build.good() && std::ranges::find(spec.fields, position) != spec.fields.end())
      build.error("fields", "\"" + name.value + "\" is named twice");
    spec.fields.push_back(position);
  }
  if (!build.good()) return nullptr;
  Schema schema;
  for (uint32_t position = 0; position < build.input().size(); ++position) {
    if (std::ranges::find(spec.fields, position) != spec.fields.end()) continue;
    spec.others.push_back(position);
    schema.add(build.input()[position]);
  }
  build.add_field(schema, name_field(build, spec.fields), "name");
  build.add_field(schema, value_field(build, spec.fields), "value");
  if (!build.good()) return nullptr;
  return std::make_unique<Unnest>(build.id(), std::move(spec), build.input(), std::move(schema), build.arena(), build.pool());
}

constexpr StepOption options[] = {
    {.key = "fields",
     .type = StepOptionType::TextList,
     .required = true,
     .minimum = "1",
     .documentation = "The fields that become records of their own, in this order. Their types must be equal; int and float "
                      "together become float.",
     .example = "fields = [\"t1\", \"t2\"]"},
    {.key = "name",
     .type = StepOptionType::Text,
     .standard = "name",
     .minimum = "1",
     .documentation = "The field that gets the name of the field that a value comes from.",
     .example = "name = \"channel\""},
    {.key = "value",
     .type = StepOptionType::Text,
     .standard = "value",
     .minimum = "1",
     .documentation = "The field that gets the value.",
     .example = "value = \"value\""},
    {.key = "skip_null",
     .type = StepOptionType::Boolean,
     .standard = "true",
     .documentation = "A field that is null yields no record. A record that yields none is filtered out.",
     .example = "skip_null = false"},
};

}  // namespace

const StepKind unnest_step = {
    .verb = "unnest",
    .documentation = "Verb: one record becomes one per listed field (wide to long).",
    .options = options,
    .make = make,
};

}  // namespace weir
