#include "agent/operators/argument_row.h"

namespace weir {

ArgumentRow::ArgumentRow(const AggregateSet& aggregates) : aggregates_(aggregates) {
  for (size_t index = 0; index < aggregates.size(); ++index) {
    const Program& argument = aggregates[index].argument;
    // The literal null is no type that could be stored, and says as little as no argument.
    Part part{bytes_, !argument.empty() && argument.type() != Type::Null};
    bytes_ += 1;
    if (part.has_argument) {
      part.cell = ValueCell(argument.type(), argument.max_length());
      bytes_ += part.cell.bytes();
    }
    parts_.push_back(part);
  }
}

void ArgumentRow::describe(StoredFields& fields) const {
  for (size_t index = 0; index < parts_.size(); ++index) {
    const Program& argument = aggregates_[index].argument;
    const Type type = parts_[index].has_argument ? argument.type() : Type::Null;
    fields.add_argument(aggregates_[index].name, type, type == Type::String ? argument.max_length() : 0,
                        call_text(aggregates_[index]));
  }
}

void ArgumentRow::put(uint8_t* at, const Record& record) const {
  for (size_t index = 0; index < parts_.size(); ++index) {
    uint8_t* part = at + parts_[index].at;
    part[0] = aggregates_.counts(index, record) ? 1 : 0;
    if (!parts_[index].has_argument) continue;
    const Value value = part[0] != 0 ? aggregates_.argument(index, record) : Value::null();
    part[1] = 0;
    if (!value.is_null()) parts_[index].cell.put(part + 1, value);
  }
}

void ArgumentRow::add_to(uint8_t* accumulators, const uint8_t* at, int64_t event_time_ms) const {
  for (size_t index = 0; index < parts_.size(); ++index) {
    const uint8_t* part = at + parts_[index].at;
    if (part[0] == 0) continue;
    const Value value = parts_[index].has_argument ? parts_[index].cell.get(part + 1) : Value::null();
    aggregates_.add_value(accumulators, index, value, event_time_ms);
  }
}

bool ArgumentRow::valid(const uint8_t* at) const {
  for (const Part& part : parts_)
    if (at[part.at] > 1 || (part.has_argument && !part.cell.valid(at + part.at + 1))) return false;
  return true;
}

}  // namespace weir
