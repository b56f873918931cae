// AddedFields: a step's output that is its input with fields added at the end or with one replaced, and the row in which its
// values are put together. Made at start-up, owned by the step's function; reactor thread; costs a copy of the row per record.
#pragma once

#include "agent/model/record.h"
#include "agent/operators/step_build.h"

namespace weir {

class AddedFields {
 public:
  /// The position of a field that was not asked for.
  static constexpr uint32_t absent = UINT32_MAX;

  explicit AddedFields(const Schema& input) : schema_(input), input_size_(input.size()) {}

  /// Adds the field whose name the option `key` has and returns its position; absent if the option has no value.
  uint32_t add(StepBuild& build, std::string_view key, Type type);
  /// Gives the field at `position` another type.
  void replace(uint32_t position, Type type);
  /// Takes the row, "<pool>.result"; after all fields are there.
  void take_row(const StepBuild& build);

  const Schema& schema() const { return schema_; }
  /// Begins a row: the record's values, the added ones null.
  void begin(const Record& record);
  /// Does nothing if the position is absent. A float that is not finite becomes null.
  void set(uint32_t position, Value value);
  void set(uint32_t position, double value) { set(position, Value::of_float(value)); }
  std::span<const Value> row() const { return row_; }

 private:
  Schema schema_;
  size_t input_size_;
  std::span<Value> row_;
};

}  // namespace weir
