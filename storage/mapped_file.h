// MappedFile: a small file of fixed size in the state directory that is mapped into memory: a note in it is a store, without a
// system call and without a sync. What was stored survives the process, for the kernel writes it back; after a power cut the
// file may hold any mixture of old and new sectors, so who uses it checks what it reads.
//
// Owned by whoever notes in it; no thread rules of its own. Allocates at open() only.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "agent/base/status.h"

namespace weir {

class MappedFile {
 public:
  MappedFile() = default;
  ~MappedFile() { close(); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Creates the file if there is none, unless `read_only`, and makes it `bytes` long. Code::Full or Code::Io: there is none,
  /// or it is shorter than `bytes` and cannot be made longer; memory() is empty then.
  Status open(const std::string& path, size_t bytes, bool read_only);
  void close();

  bool is_open() const { return !memory_.empty(); }
  std::span<uint8_t> memory() const { return memory_; }

 private:
  std::span<uint8_t> memory_;
};

}  // namespace weir
