// RowCell: a whole record's values in a fixed number of stored bytes, one ValueCell after another; all zero bytes mean that
// every value is null. For steps that hold a record back or keep one for later.
#pragma once

#include <span>
#include <vector>

#include "agent/model/schema.h"
#include "agent/model/state_layout.h"
#include "agent/operators/value_cell.h"

namespace weir {

class RowCell {
 public:
  explicit RowCell(const Schema& schema);

  uint32_t bytes() const { return bytes_; }
  void put(uint8_t* at, std::span<const Value> values) const;
  /// Strings view the bytes.
  void get(const uint8_t* at, std::span<Value> values) const;
  /// Whether bytes that come from a disk can be read by get().
  bool valid(const uint8_t* at) const;
  void describe(StoredFields& fields, std::string_view name) const { fields.add_record(name, schema_); }

 private:
  struct Cell {
    ValueCell cell;
    uint32_t at;
  };
  std::vector<Cell> cells_;
  Schema schema_;
  uint32_t bytes_ = 0;
};

}  // namespace weir
