#include "agent/operators/map.h"

#include <algorithm>

namespace weir {
namespace {

/// What `old` turns into when the field's expression replaces it. The literal null empties a field and leaves its type.
Field replaced(const Field& old, const Program& value) {
  if (value.type() == Type::Null) return {old.name, old.type, old.max_length};
  return {old.name, value.type(), value.type() == Type::String ? value.max_length() : 0};
}

const MapField* find(const std::vector<MapField>& fields, std::string_view name) {
  auto found = std::find_if(fields.begin(), fields.end(), [&](const MapField& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

Schema output_schema(const std::vector<MapField>& fields, const Schema& input) {
  Schema output;
  for (const Field& old : input.fields()) {
    const MapField* field = old.hidden ? nullptr : find(fields, old.name);
    output.add(field == nullptr ? old : replaced(old, field->value));
  }
  for (const MapField& field : fields)
    if (input.find(field.name) < 0) output.add(replaced({field.name, Type::Null, 0}, field.value));
  return output;
}

}  // namespace

MapFault Map::check(const std::vector<MapField>& fields, const Schema& input) {
  size_t count = input.size();
  for (size_t index = 0; index < fields.size(); ++index) {
    const MapField& field = fields[index];
    if (find(fields, field.name) != &field) return {index, "\"" + field.name + "\" is set twice"};
    if (input.find(field.name) >= 0) continue;
    if (field.value.type() == Type::Null) return {index, "\"" + field.name + "\" would have no type: null alone has none"};
    if (++count > fields_max) return {index, "a record has at most " + std::to_string(fields_max) + " fields"};
  }
  return {};
}

Map::Map(std::string id, std::vector<MapField> fields, const Schema& input, Arena& arena, std::string_view pool)
    : id_(std::move(id)), fields_(std::move(fields)) {
  WEIR_ASSERT(check(fields_, input).message.empty());
  schema_ = output_schema(fields_, input);
  for (const MapField& field : fields_) positions_.push_back(static_cast<size_t>(schema_.find(field.name)));
  row_ = arena.take<Value>(schema_.size(), std::string(pool) + ".row",
                           "1 row x " + std::to_string(schema_.size()) + " fields x 16 bytes");
}

Outcome Map::process(const Record& record) {
  std::copy(record.values.begin(), record.values.end(), row_.begin());
  for (size_t index = 0; index < fields_.size(); ++index)
    row_[positions_[index]] = fields_[index].value.evaluate(record.values);
  Record mapped = record;
  mapped.values = row_;
  return next().process(mapped);
}

}  // namespace weir
