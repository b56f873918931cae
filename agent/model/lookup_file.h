// LookupFile: the seam between a lookup step and the file that its table comes from. A file is read whole, at the start and
// again when it has changed, and is bounded in bytes and rows. While the agent runs that happens on the storage thread, in
// between checkpoints; one thread at a time. Reading allocates nothing of weir's after it was made.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/base/arena.h"
#include "agent/base/function_ref.h"
#include "agent/base/text_writer.h"
#include "agent/model/schema.h"

namespace weir {

class LookupFile {
 public:
  virtual ~LookupFile() = default;
  /// Whether the file is another one, or looks different, than when it was last read. One stat.
  virtual bool changed() = 0;
  /// Calls `row` for each row with a value per column, null for an empty cell; strings view the reader's buffer. What it
  /// returns, unless it is nullptr, is why the row cannot be, and ends the walk. False with `problem` saying the place and the
  /// reason.
  virtual bool read(FunctionRef<const char*(std::span<const Value>)> row, TextWriter& problem) = 0;
};

struct LookupFileSpec {
  std::string path;
  std::string table;           // of a SQLite file; empty: the file is CSV
  std::vector<Field> columns;  // names as they stand in the file, and the types that they are read as
  size_t bytes_max = 0;
};

/// Makes them; the application knows which kinds there are.
class LookupFiles {
 public:
  virtual ~LookupFiles() = default;
  virtual std::unique_ptr<LookupFile> open(const LookupFileSpec& spec, Arena& arena, const std::string& pool) = 0;
};

}  // namespace weir
