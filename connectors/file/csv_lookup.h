// CsvLookup: a lookup step's table in a CSV file whose first row names the columns; others than the wanted ones are passed
// over. One thread at a time; the whole file is read into a buffer of its own.
#pragma once

#include "agent/base/file_stamp.h"
#include "agent/model/lookup_file.h"
#include "agent/model/source_field.h"
#include "connectors/file/csv_rows.h"

namespace weir {

class CsvLookup final : public LookupFile {
 public:
  /// Takes its buffer from `arena` as the pool "<pool>.file".
  CsvLookup(LookupFileSpec spec, Arena& arena, const std::string& pool);

  bool changed() override;
  bool read(FunctionRef<const char*(std::span<const Value>)> row, TextWriter& problem) override;

 private:
  bool load(TextWriter& problem);
  bool find_columns(CsvRows& rows, TextWriter& problem);
  bool convert_row(const CsvRows& rows, size_t cells, TextWriter& problem);
  void describe_place(uint64_t line, TextWriter& problem) const;

  LookupFileSpec spec_;
  std::span<char> buffer_;
  std::span<CsvCell> cells_;
  std::span<Value> values_;
  std::vector<SourceField> fields_;
  std::vector<size_t> positions_;  // of the wanted columns in the file
  size_t size_ = 0;
  FileStamp seen_;
};

}  // namespace weir
