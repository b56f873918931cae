// BlockFile: the seam between weir's own files of fixed size and the disk below them. It is as narrow as what a power cut can
// tell apart: bytes are written in place, and are certain only after the sync that follows them. The product's is a file of the
// operating system; tests put a disk in its place that forgets, tears and fails. The file never grows after it was opened.
//
// One owner, one thread at a time. Nothing here allocates after it was opened.
#pragma once

#include <memory>
#include <string>

#include "agent/base/bytes.h"
#include "agent/base/status.h"

namespace weir {

class BlockFile {
 public:
  virtual ~BlockFile() = default;
  /// Bytes; fixed.
  virtual uint64_t size() const = 0;
  /// Fills `to` from offset `at`. Requires that the range lies inside the file. Code::Io.
  virtual Status read(uint64_t at, std::span<uint8_t> to) = 0;
  /// Requires that the range lies inside the file. Code::Full: the disk has no room (nothing is known of the range, everything
  /// else stands); Code::Io: what the range holds is unknown.
  virtual Status write(uint64_t at, Bytes from) = 0;
  /// What was written before is durable on return. After Code::Io it is unknown what is, and asking again would lie: the
  /// process must stop trusting the file.
  virtual Status sync() = 0;
};

enum class BlockFileMode : uint8_t { ReadOnly, ReadWrite };

/// Opens the file. With ReadWrite it is made if there is none, or lengthened, by writing zeros until it has at least `bytes`,
/// and its name is durable on return; a longer file stays as it is. Start-up only. Code::Full if the disk has no room,
/// Code::NotFound if there is none to read.
Result<std::unique_ptr<BlockFile>> open_block_file(const std::string& path, BlockFileMode mode, uint64_t bytes = 0);

}  // namespace weir
