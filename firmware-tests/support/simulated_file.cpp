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
  for (const Write& write : unsynced_) settle(write, random);
  unsynced_.clear();
  current_ = durable_;
  off_ = false;
  left_ = 0;
}

void SimulatedDisk::settle(const Write& write, Random& random) {
  const uint64_t fate = random.below(4);  // of the whole write: lost, kept, sectors at random, sectors with garbage
  if (fate == 0) return;
  const uint64_t end = write.at + write.bytes.size();
  for (uint64_t sector = write.at / sector_bytes * sector_bytes; sector < end; sector += sector_bytes) {
    const uint64_t from = std::max(sector, write.at);
    const uint64_t to = std::min(sector + sector_bytes, end);
    const bool kept = fate == 1 || random.chance(50);
    if (kept) {
      std::copy(write.bytes.begin() + static_cast<std::ptrdiff_t>(from - write.at),
                write.bytes.begin() + static_cast<std::ptrdiff_t>(to - write.at),
                durable_.begin() + static_cast<std::ptrdiff_t>(from));
    } else if (fate == 3) {
      const uint64_t first = powersafe_overwrite ? from : sector;
      const uint64_t last = powersafe_overwrite ? to : std::min<uint64_t>(sector + sector_bytes, durable_.size());
      for (uint64_t at = first; at < last; ++at) durable_[at] = static_cast<uint8_t>(random.next());
    }
  }
}

void SimulatedDisk::flip_bit(size_t bit) {
  current_[bit / 8] = static_cast<uint8_t>(current_[bit / 8] ^ (1U << (bit % 8)));
  durable_ = current_;
}

Status SimulatedFile::read(uint64_t at, std::span<uint8_t> to) {
  if (!disk_.operate()) return no_power;
  WEIR_ASSERT(at <= size_ && to.size() <= size_ - at);
  std::copy_n(disk_.current_.begin() + static_cast<std::ptrdiff_t>(at + shift_), to.size(), to.begin());
  return {};
}

Status SimulatedFile::write(uint64_t at, Bytes from) {
  WEIR_ASSERT(at <= size_ && from.size() <= size_ - at);
  if (disk_.full) return {Code::Full, "the simulated disk is full"};
  const bool was_off = disk_.off_;
  const bool on = disk_.operate();
  if (was_off) return no_power;
  // The write at which the power goes is on its way.
  disk_.unsynced_.push_back({at + shift_, {from.begin(), from.end()}});
  std::copy(from.begin(), from.end(), disk_.current_.begin() + static_cast<std::ptrdiff_t>(at + shift_));
  disk_.bytes_written_ += from.size();
  return on ? Status() : no_power;
}

Status SimulatedFile::sync() {
  if (!disk_.operate()) return no_power;
  ++disk_.syncs_;
  if (disk_.lies_about_sync) return {};
  disk_.durable_ = disk_.current_;
  disk_.unsynced_.clear();
  return {};
}

}  // namespace weir
