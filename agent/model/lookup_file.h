// LookupFile: the seam to a file whose rows records are joined with: a header that names columns, and rows of texts. Opened
// while the agent starts, by whatever the program has registered, and read again when it has changed: without the heap, and not
// for long, for the file's size is bounded. Reactor thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/arena.h"

namespace weir {

/// What is wrong with a file; `text` is a constant, nullptr if nothing is. Lines and columns count from 1; 0: no place.
struct LookupFault {
  const char* text = nullptr;
  uint32_t line = 0;
  uint32_t column = 0;
};

/// Takes the rows of a file, one after the other.
class LookupRows {
 public:
  virtual ~LookupRows() = default;
  /// What is wrong with a cell; `text` is a constant, nullptr if all are taken.
  struct Misfit {
    const char* text = nullptr;
    size_t cell = 0;
  };
  /// One cell per column asked for; views are good for the length of the call.
  virtual Misfit on_row(std::span<const std::string_view> cells, uint32_t line) = 0;
};

class LookupFile {
 public:
  virtual ~LookupFile() = default;
  /// Whether the file is not the one that was read last, successfully or not.
  virtual bool changed() = 0;
  virtual LookupFault read(LookupRows& rows) = 0;
};

struct LookupRequest {
  std::string path;
  std::vector<std::string> columns;
  uint64_t bytes_max = 0;
  std::string pool;  // a name for the memory that reading takes
};

using LookupOpener = std::unique_ptr<LookupFile> (*)(const LookupRequest& request, Arena& arena);

/// What the program opens such files with; set before a configuration is planned.
void set_lookup_opener(LookupOpener opener);
/// nullptr if the program has none.
LookupOpener lookup_opener();

}  // namespace weir
