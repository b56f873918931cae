// A file on a disk that forgets: what was written and not synced is gone, kept, torn by sectors or turned to garbage when the
// power is cut. The power goes at an operation that the test names; from there on every call fails. BlockFile's simulated side.
#pragma once

#include <cstdint>
#include <vector>

#include "firmware-tests/support/volatile_file.h"
#include "storage/block_file.h"

namespace weir {

/// The platter: survives the process.
class SimulatedDisk {
 public:
  static constexpr size_t sector_bytes = 512;

  explicit SimulatedDisk(size_t bytes) : file_(bytes) {}
  /// Without it a write that covers a part of a sector puts all of the sector at risk.
  bool powersafe_overwrite = false;
  bool lies_about_sync = false;
  /// The power is cut at the operation with this number, counted from now; 0: never.
  void cut_power_at(uint64_t operation) { left_ = operation; }
  bool power_is_off() const { return off_; }
  /// The next writes fail for want of room.
  bool full = false;

  /// The next boot: unsynced writes are decided upon, sector by sector.
  void power_on(Random& random);
  /// The process died, the machine did not.
  void process_restarts() { off_ = false; }
  uint64_t operations() const { return operations_; }
  uint64_t syncs() const { return syncs_; }
  uint64_t bytes_written() const { return bytes_written_; }
  const std::vector<uint8_t>& bytes() const { return file_.current(); }
  void flip_bit(size_t bit) { file_.flip_bit(bit); }

 private:
  friend class SimulatedFile;
  bool operate();

  VolatileFile file_;
  uint64_t left_ = 0;
  uint64_t operations_ = 0;
  uint64_t syncs_ = 0;
  uint64_t bytes_written_ = 0;
  bool off_ = false;
};

/// A process's view of it. `shift` moves everything by so many bytes: writes that are aligned above are not so below.
class SimulatedFile final : public BlockFile {
 public:
  SimulatedFile(SimulatedDisk& disk, uint64_t size, uint64_t shift = 0) : disk_(disk), size_(size), shift_(shift) {}
  uint64_t size() const override { return size_; }
  Status read(uint64_t at, std::span<uint8_t> to) override;
  Status write(uint64_t at, Bytes from) override;
  Status sync() override;

 private:
  SimulatedDisk& disk_;
  uint64_t size_;
  uint64_t shift_;
};

}  // namespace weir
