// LookupTable: rows found by their key, read from a LookupFile into memory that was taken at the start: twice, so that a file
// is read while the rows before it stay good, and take its place only if all of it is. Owned by one step; reactor thread; never
// allocates after it was made; a find is a binary search over hashes.
#pragma once

#include "agent/model/lookup_file.h"
#include "agent/operators/row_cell.h"

namespace weir {

class LookupTable final : private LookupRows {
 public:
  /// `keys` and then `added` are the columns that the file is asked for. Takes the pool "<pool>.table".
  LookupTable(const Schema& keys, const Schema& added, uint32_t rows_max, Arena& arena, const std::string& pool);

  /// Whatever is wrong leaves the rows as they were.
  LookupFault load(LookupFile& file);
  /// Fills `added`, whose texts view the table until the next load(). False if there is no such row; a null in the key is in
  /// none.
  bool find(std::span<const Value> key, std::span<Value> added) const;
  uint32_t size() const { return size_; }

 private:
  struct Entry {
    uint64_t hash = 0;
    uint32_t row = 0;
    uint32_t line = 0;
  };
  struct Rows {
    std::span<uint8_t> bytes;
    std::span<Entry> entries;
  };

  Misfit on_row(std::span<const std::string_view> cells, uint32_t line) override;
  const char* parse(const Field& field, std::string_view text, Value& value) const;
  LookupFault index_spare();

  size_t key_count_;
  Schema schema_;
  RowCell row_;
  uint32_t rows_max_;
  Rows rows_;
  Rows spare_;
  uint32_t size_ = 0;
  uint32_t spare_size_ = 0;
  std::span<Value> values_;
  std::span<Value> other_values_;
};

}  // namespace weir
