#include "agent/operators/added_fields.h"

#include <algorithm>

#include "agent/expression/arithmetic.h"

namespace weir {

uint32_t AddedFields::add(StepBuild& build, std::string_view key, Type type) {
  const std::string& name = build.options().text(key).value;
  if (name.empty()) return absent;
  build.add_field(schema_, {.name = name, .type = type}, key);
  return static_cast<uint32_t>(schema_.size() - 1);
}

void AddedFields::replace(uint32_t position, Type type) {
  Schema changed;
  for (size_t index = 0; index < schema_.size(); ++index) {
    Field field = schema_[index];
    if (index == position) field.type = type;
    changed.add(std::move(field));
  }
  schema_ = std::move(changed);
}

void AddedFields::take_row(const StepBuild& build) {
  row_ = build.arena().take<Value>(schema_.size(), build.pool() + ".result", "1 record");
}

void AddedFields::begin(const Record& record) {
  std::ranges::copy(record.values, row_.begin());
  std::ranges::fill(row_.subspan(input_size_), Value::null());
}

void AddedFields::set(uint32_t position, Value value) {
  if (position != absent) row_[position] = finite_or_null(value);
}

}  // namespace weir
