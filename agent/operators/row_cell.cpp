#include "agent/operators/row_cell.h"

namespace weir {

RowCell::RowCell(const Schema& schema) : schema_(schema) {
  for (const Field& field : schema.fields()) {
    cells_.push_back({ValueCell(field.type, field.max_length), bytes_});
    bytes_ += cells_.back().cell.bytes();
  }
}

void RowCell::put(uint8_t* at, std::span<const Value> values) const {
  for (size_t index = 0; index < cells_.size(); ++index) {
    if (values[index].is_null())
      at[cells_[index].at] = 0;
    else
      cells_[index].cell.put(at + cells_[index].at, values[index]);
  }
}

void RowCell::get(const uint8_t* at, std::span<Value> values) const {
  for (size_t index = 0; index < cells_.size(); ++index) values[index] = cells_[index].cell.get(at + cells_[index].at);
}

bool RowCell::valid(const uint8_t* at) const {
  for (const Cell& each : cells_)
    if (!each.cell.valid(at + each.at)) return false;
  return true;
}

}  // namespace weir
