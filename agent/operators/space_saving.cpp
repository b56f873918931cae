#include "agent/operators/space_saving.h"

#include <algorithm>

#include "agent/operators/value_order.h"

namespace weir {

SpaceSaving::SpaceSaving(const Field& field, uint32_t counters)
    : cell_(field.type, field.max_length), counters_(counters), counter_bytes_(cell_at + cell_.bytes()) {
  WEIR_ASSERT(counters >= 1 && counters <= counters_max);
}

SpaceSaving::Entry SpaceSaving::entry(const uint8_t* at, uint32_t index) const {
  const uint8_t* counter = at + place(index);
  return {cell_.get(counter + cell_at), load<uint64_t>(counter), load<uint64_t>(counter + 8)};
}

/// The value's own counter, or a free one, or the least, taken over from its value: the first of equal ones.
uint32_t SpaceSaving::counter_for(uint8_t* at, const Value& value) const {
  const auto used = load<uint32_t>(at);
  uint32_t least = 0;
  for (uint32_t index = 0; index < used; ++index) {
    const Entry each = entry(at, index);
    if (compare_values(each.value, value) == 0) return index;
    if (each.count < entry(at, least).count) least = index;
  }
  if (used < counters_) {
    store(at, used + 1);
    cell_.put(at + place(used) + cell_at, value);
    return used;
  }
  uint8_t* counter = at + place(least);
  store(counter + 8, load<uint64_t>(counter));
  cell_.put(counter + cell_at, value);
  return least;
}

void SpaceSaving::add(uint8_t* at, const Value& value) const {
  uint8_t* counter = at + place(counter_for(at, value));
  store(counter, load<uint64_t>(counter) + 1);
}

size_t SpaceSaving::top(const uint8_t* at, std::span<Entry> entries) const {
  const auto used = load<uint32_t>(at);
  size_t size = 0;
  for (uint32_t index = 0; index < used; ++index) {
    const Entry each = entry(at, index);
    auto before = [](const Entry& left, const Entry& right) {
      return left.count != right.count ? left.count > right.count : compare_values(left.value, right.value) < 0;
    };
    const auto room = std::upper_bound(entries.begin(), entries.begin() + static_cast<ptrdiff_t>(size), each, before);
    if (room == entries.end()) continue;
    size = std::min(size + 1, entries.size());
    std::move_backward(room, entries.begin() + static_cast<ptrdiff_t>(size) - 1,
                       entries.begin() + static_cast<ptrdiff_t>(size));
    *room = each;
  }
  return size;
}

bool SpaceSaving::valid(const uint8_t* at) const {
  const auto used = load<uint32_t>(at);
  if (used > counters_) return false;
  for (uint32_t index = 0; index < used; ++index) {
    const uint8_t* cell = at + place(index) + cell_at;
    if (!cell_.valid(cell) || !cell_.present(cell)) return false;
    if (const Entry each = entry(at, index); each.error >= each.count) return false;
  }
  return true;
}

}  // namespace weir
