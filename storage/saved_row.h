// SavedRow: a stored checkpoint on its way from one database to another, row by row: out of a running agent through its control
// socket, into a savepoint, and back. The rows come as a stream of bytes that is cut into pages anywhere; whoever puts them
// together checks nothing but their lengths, for what they carry is checked by a CRC when it is read and gets a new one when
// it is written.
//
// The order: Checkpoint, Config if it is known, each Layout, then for each part Part and its Blobs, and End.
#pragma once

#include <array>
#include <vector>

#include "agent/base/function_ref.h"
#include "agent/model/stateful.h"
#include "storage/part_table.h"

namespace weir {

enum class SavedRowKind : uint8_t {
  Checkpoint = 1,  // bytes: the manifest; operator_blobs, blob_rows
  Config = 2,      // bytes: the text of the configuration
  Layout = 3,      // bytes: a description; hash
  Part = 4,        // bytes: the state that is not keyed; op, set
  Blob = 5,        // op, blob
  End = 6,
};

struct SavedRow {
  SavedRowKind kind = SavedRowKind::End;
  uint8_t blob_kind = 0;
  uint32_t op = 0;
  uint32_t index = 0;
  uint64_t checkpoint_id = 0;
  uint32_t operator_blobs = 0;
  uint64_t blob_rows = 0;
  uint64_t hash = 0;
  PartSet set;
  Bytes bytes;
};

/// What stands in front of a row's bytes, in the stream.
constexpr size_t saved_row_header_bytes = 90;
std::array<uint8_t, saved_row_header_bytes> saved_row_header(const SavedRow& row);

/// Puts rows together from pages. For commands: uses the heap, as much as the largest row takes.
class SavedRowReader {
 public:
  /// `page` hands over the bytes that follow, empty ones where nothing does; it must outlive the reader.
  explicit SavedRowReader(FunctionRef<Result<std::vector<uint8_t>>()> page) : page_(page) {}
  /// The row's bytes hold until the next call. Code::Corrupt if the bytes are no rows, or end before End.
  Status next(SavedRow& row);

 private:
  Status fill(size_t bytes);

  FunctionRef<Result<std::vector<uint8_t>>()> page_;
  std::vector<uint8_t> held_;
  size_t used_ = 0;  // of what is held: the row that was handed over
};

/// How far a checkpoint was handed over. A row is found again by its place, not by its number: others may come and go
/// meanwhile.
struct ExportCursor {
  uint8_t stage = 0;    // 0 checkpoint, 1 configuration, 2 layouts, 3 parts, 4 the end, 5 nothing is left
  uint32_t op = 0;      // of the part whose rows come next
  uint8_t kind = 0;     // BlobKind of the rows that come next; 0: the part itself
  int64_t key = 0;      // of the last row that was handed over whole
  uint64_t offset = 0;  // bytes of the row behind it that were handed over

  bool done() const { return stage == 5; }
};

}  // namespace weir
