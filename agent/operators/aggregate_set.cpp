#include "agent/operators/aggregate_set.h"

namespace weir {

std::string call_text(const Aggregation& aggregation) {
  return aggregation.text + (aggregation.filter_text.empty() ? "" : " if " + aggregation.filter_text);
}

void AggregateSet::push_back(Aggregation aggregation) {
  at_.push_back(static_cast<uint32_t>(bytes_));
  bytes_ += aggregation.aggregate->bytes();
  parts_.push_back(std::move(aggregation));
}

void AggregateSet::append_fields(Schema& schema) const {
  for (const Aggregation& part : parts_) schema.add({part.name, part.aggregate->type(), part.aggregate->max_length()});
}

void AggregateSet::describe(StoredFields& fields) const {
  for (const Aggregation& part : parts_)
    fields.add_aggregate(part.aggregate->bytes(), part.name, part.made_by, call_text(part));
}

void AggregateSet::add(uint8_t* at, const Record& record) const {
  for (size_t index = 0; index < parts_.size(); ++index)
    if (counts(index, record)) add_value(at, index, argument(index, record), record.event_time_ms);
}

bool AggregateSet::counts(size_t index, const Record& record) const {
  const Program& filter = parts_[index].filter;
  if (filter.empty()) return true;
  const Value value = filter.evaluate(record.values);
  return !value.is_null() && value.as_bool();
}

Value AggregateSet::argument(size_t index, const Record& record) const {
  const Program& argument = parts_[index].argument;
  return argument.empty() ? Value::null() : argument.evaluate(record.values);
}

void AggregateSet::add_value(uint8_t* at, size_t index, const Value& value, int64_t event_time_ms) const {
  parts_[index].aggregate->add(at + at_[index], value, event_time_ms);
}

void AggregateSet::merge(uint8_t* into, const uint8_t* from) const {
  for (size_t index = 0; index < parts_.size(); ++index) parts_[index].aggregate->merge(into + at_[index], from + at_[index]);
}

void AggregateSet::results(const uint8_t* at, std::span<Value> row) const {
  for (size_t index = 0; index < parts_.size(); ++index) row[index] = parts_[index].aggregate->result(at + at_[index]);
}

bool AggregateSet::valid(const uint8_t* at) const {
  for (size_t index = 0; index < parts_.size(); ++index)
    if (!parts_[index].aggregate->valid(at + at_[index])) return false;
  return true;
}

}  // namespace weir
