#include "agent/model/state_layout.h"

#include <algorithm>

namespace weir {

uint64_t stored_value_bytes(Type type, uint32_t max_length) {
  if (type == Type::Bool) return 2;
  return type == Type::String ? uint64_t{3} + max_length : 9;
}

StoredField& StoredFields::add(StoredKind kind, uint32_t bytes, std::string_view name) {
  StoredField& field = fields_.emplace_back();
  field.kind = kind;
  field.size = bytes;
  field.name = name;
  return field;
}

void StoredFields::add_flag(std::string_view name) { add(StoredKind::Flag, 1, name); }
void StoredFields::add_signed(uint32_t bytes, std::string_view name) { add(StoredKind::Signed, bytes, name); }
void StoredFields::add_unsigned(uint32_t bytes, std::string_view name) { add(StoredKind::Unsigned, bytes, name); }
void StoredFields::add_real(uint32_t bytes, std::string_view name) { add(StoredKind::Real, bytes, name); }
void StoredFields::add_time(std::string_view name) { add(StoredKind::Time, 8, name); }

void StoredFields::add_cell(std::string_view name, Type type, uint32_t max_length) {
  StoredField& field = add(StoredKind::Cell, 0, name);
  field.type = type;
  field.max_length = type == Type::String ? max_length : 0;
}

void StoredFields::add_bytes(uint32_t bytes, std::string_view name, std::string_view text) {
  add(StoredKind::Raw, bytes, name).text = text;
}

void StoredFields::add_aggregate(uint32_t bytes, std::string_view name, std::string_view made_by, std::string_view call) {
  StoredField& field = add(StoredKind::Aggregate, bytes, name);
  field.made_by = made_by;
  field.text = call;
}

void StoredFields::add_argument(std::string_view name, Type type, uint32_t max_length, std::string_view call) {
  StoredField& field = add(StoredKind::Argument, 0, name);
  field.type = type;
  field.max_length = type == Type::String ? max_length : 0;
  field.text = call;
}

void StoredFields::add_record(std::string_view name, const Schema& schema) {
  StoredField& record = add(StoredKind::Record, 0, name);
  for (const Field& field : schema.fields()) record.fields.add_cell(field.name, field.type, field.max_length);
}

StoredFields& StoredFields::add_list(std::string_view name, uint32_t count, std::string_view counter) {
  StoredField& list = add(StoredKind::List, 0, name);
  list.count = count;
  list.text = counter;
  return list.fields;
}

StoredFields& StoredFields::add_ring(std::string_view name, uint32_t count) {
  add_u16("oldest");
  add_u16("count");
  StoredField& ring = add(StoredKind::Ring, 0, name);
  ring.count = count;
  return ring.fields;
}

void StoredFields::append(const StoredFields& more) { fields_.insert(fields_.end(), more.fields_.begin(), more.fields_.end()); }

size_t StoredFields::size() const { return fields_.size(); }

const StoredField& StoredFields::operator[](size_t index) const { return fields_[index]; }

int StoredFields::find(std::string_view name) const {
  auto found = std::ranges::find(fields_, name, &StoredField::name);
  return found == fields_.end() ? -1 : static_cast<int>(found - fields_.begin());
}

uint64_t StoredFields::at(size_t index) const {
  uint64_t sum = 0;
  for (size_t before = 0; before < index; ++before) sum += fields_[before].bytes();
  return sum;
}

uint64_t StoredFields::bytes() const { return at(fields_.size()); }

uint64_t StoredField::bytes() const {
  switch (kind) {
    case StoredKind::Cell:
      return stored_value_bytes(type, max_length);
    case StoredKind::Argument:
      return type == Type::Null ? 1 : 1 + stored_value_bytes(type, max_length);
    case StoredKind::Record:
      return fields.bytes();
    case StoredKind::List:
    case StoredKind::Ring:
      return count * fields.bytes();
    default:
      return size;
  }
}

void StateLayout::add_shape(std::string_view name, std::string_view value) { shape.emplace_back(name, value); }
void StateLayout::add_shape(std::string_view name, int64_t value) { add_shape(name, std::to_string(value)); }

uint64_t StateLayout::slot_bytes() const {
  uint64_t sum = fields.bytes();
  for (const Field& field : key) sum += stored_value_bytes(field.type, field.max_length);
  return sum;
}

}  // namespace weir
