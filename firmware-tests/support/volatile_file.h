// A file's bytes as a process sees them, and what is left of them when the power is cut: each write that was not synced is
// forgotten, kept, torn by sectors, or turned to garbage where it hit. What the simulated disks are made of. Tests only.
#pragma once

#include <cstdint>
#include <vector>

#include "agent/base/bytes.h"
#include "firmware-tests/support/random.h"

namespace weir {

/// How the device treats a sector that it was writing when the power went.
struct SectorRules {
  size_t bytes = 512;
  /// Without it a write that covers a part of a sector puts all of the sector at risk.
  bool powersafe_overwrite = false;
};

class VolatileFile {
 public:
  explicit VolatileFile(size_t bytes = 0) : current_(bytes), durable_(bytes) {}

  const std::vector<uint8_t>& current() const { return current_; }
  /// Grows the file where it must.
  void write(uint64_t at, Bytes from);
  void truncate(uint64_t bytes);
  void sync();
  /// Decides upon every unsynced change; what is left is durable.
  void cut_power(Random& random, const SectorRules& sectors);
  void flip_bit(size_t bit);

 private:
  struct Change {
    uint64_t at;
    std::vector<uint8_t> bytes;
    bool truncates;  // to `at` bytes
  };
  static void apply(const Change& change, std::vector<uint8_t>& to);
  void settle(const Change& change, Random& random, const SectorRules& sectors);

  std::vector<uint8_t> current_;
  std::vector<uint8_t> durable_;
  std::vector<Change> unsynced_;
};

}  // namespace weir
