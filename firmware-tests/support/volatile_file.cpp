#include "firmware-tests/support/volatile_file.h"

#include <algorithm>

namespace weir {
namespace {

void place(std::vector<uint8_t>& to, uint64_t at, Bytes from) {
  if (to.size() < at + from.size()) to.resize(static_cast<size_t>(at + from.size()));
  std::ranges::copy(from, to.begin() + static_cast<std::ptrdiff_t>(at));
}

}  // namespace

void VolatileFile::apply(const Change& change, std::vector<uint8_t>& to) {
  if (change.truncates) {
    to.resize(static_cast<size_t>(change.at));
  } else {
    place(to, change.at, change.bytes);
  }
}

void VolatileFile::write(uint64_t at, Bytes from) {
  unsynced_.push_back({at, {from.begin(), from.end()}, false});
  apply(unsynced_.back(), current_);
}

void VolatileFile::truncate(uint64_t bytes) {
  unsynced_.push_back({bytes, {}, true});
  apply(unsynced_.back(), current_);
}

void VolatileFile::sync() {
  for (const Change& change : unsynced_) apply(change, durable_);
  unsynced_.clear();
}

void VolatileFile::cut_power(Random& random, const SectorRules& sectors) {
  for (const Change& change : unsynced_) settle(change, random, sectors);
  unsynced_.clear();
  current_ = durable_;
}

void VolatileFile::settle(const Change& change, Random& random, const SectorRules& sectors) {
  const uint64_t fate = random.below(4);  // of the whole change: lost, kept, sectors at random, sectors with garbage
  if (fate == 0) return;
  if (change.truncates) return apply(change, durable_);
  const uint64_t end = change.at + change.bytes.size();
  for (uint64_t sector = change.at / sectors.bytes * sectors.bytes; sector < end; sector += sectors.bytes) {
    const uint64_t from = std::max(sector, change.at);
    const uint64_t to = std::min(sector + sectors.bytes, end);
    const bool kept = fate == 1 || random.chance(50);
    if (kept) {
      place(durable_, from, Bytes(change.bytes).subspan(static_cast<size_t>(from - change.at), static_cast<size_t>(to - from)));
    } else if (fate == 3) {
      const uint64_t first = sectors.powersafe_overwrite ? from : sector;
      const uint64_t last = sectors.powersafe_overwrite ? to : std::min<uint64_t>(sector + sectors.bytes, durable_.size());
      if (durable_.size() < last) durable_.resize(static_cast<size_t>(last));
      for (auto at = static_cast<size_t>(first); at < last; ++at) durable_[at] = static_cast<uint8_t>(random.next());
    }
  }
}

void VolatileFile::flip_bit(size_t bit) {
  current_[bit / 8] = static_cast<uint8_t>(current_[bit / 8] ^ (1U << (bit % 8)));
  durable_ = current_;
}

}  // namespace weir
