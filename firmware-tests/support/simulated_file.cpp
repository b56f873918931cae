#include "firmware-tests/support/simulated_file.h"

#include <algorithm>

namespace weir {
namespace {

constexpr Status no_power = {Code::Io, "the power is off"};

}  // namespace

bool SimulatedDisk::operate() {
  ++operations_;
  if (left_ > 0 && --left_ == 0) off_ = true;
  return !off_;
}

void SimulatedDisk::power_on(Random& random) {
  file_.cut_power(random, {sector_bytes, powersafe_overwrite});
  off_ = false;
  left_ = 0;
}

Status SimulatedFile::read(uint64_t at, std::span<uint8_t> to) {
  if (!disk_.operate()) return no_power;
  WEIR_ASSERT(at <= size_ && to.size() <= size_ - at);
  std::copy_n(disk_.file_.current().begin() + static_cast<std::ptrdiff_t>(at + shift_), to.size(), to.begin());
  return {};
}

Status SimulatedFile::write(uint64_t at, Bytes from) {
  WEIR_ASSERT(at <= size_ && from.size() <= size_ - at);
  if (disk_.full) return {Code::Full, "the simulated disk is full"};
  const bool was_off = disk_.off_;
  const bool on = disk_.operate();
  if (was_off) return no_power;
  // The write at which the power goes is on its way.
  disk_.file_.write(at + shift_, from);
  disk_.bytes_written_ += from.size();
  return on ? Status() : no_power;
}

Status SimulatedFile::sync() {
  if (!disk_.operate()) return no_power;
  ++disk_.syncs_;
  if (disk_.lies_about_sync) return {};
  disk_.file_.sync();
  return {};
}

}  // namespace weir
