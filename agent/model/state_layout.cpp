#include "agent/model/state_layout.h"

#include <algorithm>

namespace weir {

uint64_t stored_value_bytes(Type type, uint32_t max_length) {
  if (type == Type::Bool) return 2;
  return type == Type::String ? uint64_t{3} + max_length : 9;
}

StoredField& StoredFields::add(StoredKind kind, uint32_t bytes, std::string name) {
  StoredField& field = fields_.emplace_back();
  field.kind = kind;
  field.size = bytes;
  field.name = std::move(name);
  return field;
}

void StoredFields::add_flag(std::string name) { add(StoredKind::Flag, 1, std::move(name)); }
void StoredFields::add_signed(uint32_t bytes, std::string name) { add(StoredKind::Signed, bytes, std::move(name)); }
void StoredFields::add_unsigned(uint32_t bytes, std::string name) { add(StoredKind::Unsigned, bytes, std::move(name)); }
void StoredFields::add_real(uint32_t bytes, std::string name) { add(StoredKind::Real, bytes, std::move(name)); }
void StoredFields::add_time(std::string name) { add(StoredKind::Time, 8, std::move(name)); }

void StoredFields::add_cell(std::string name, Type type, uint32_t max_length) {
  StoredField& field = add(StoredKind::Cell, 0, std::move(name));
  field.type = type;
  field.max_length = type == Type::String ? max_length : 0;
}

void StoredFields::add_bytes(uint32_t bytes, std::string name, std::string text) {
  add(StoredKind::Raw, bytes, std::move(name)).text = std::move(text);
}

void StoredFields::add_aggregate(uint32_t bytes, std::string name, std::string made_by, std::string call) {
  StoredField& field = add(StoredKind::Aggregate, bytes, std::move(name));
  field.made_by = std::move(made_by);
  field.text = std::move(call);
}

void StoredFields::add_argument(std::string name, Type type, uint32_t max_length, std::string call) {
  StoredField& field = add(StoredKind::Argument, 0, std::move(name));
  field.type = type;
  field.max_length = type == Type::String ? max_length : 0;
  field.text = std::move(call);
}

void StoredFields::add_record(std::string name, const Schema& schema) {
  StoredField& record = add(StoredKind::Record, 0, std::move(name));
  for (const Field& field : schema.fields()) record.fields.add_cell(field.name, field.type, field.max_length);
}

StoredFields& StoredFields::add_list(std::string name, uint32_t count, std::string counter) {
  StoredField& list = add(StoredKind::List, 0, std::move(name));
  list.count = count;
  list.text = std::move(counter);
  return list.fields;
}

StoredFields& StoredFields::add_ring(std::string name, uint32_t count) {
  add_u16("oldest");
  add_u16("count");
  StoredField& ring = add(StoredKind::Ring, 0, std::move(name));
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

uint64_t StateLayout::slot_bytes() const {
  uint64_t sum = fields.bytes();
  for (const Field& field : key) sum += stored_value_bytes(field.type, field.max_length);
  return sum;
}

}  // namespace weir
