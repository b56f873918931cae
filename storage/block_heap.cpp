#include "storage/block_heap.h"

#include <algorithm>
#include <bit>

#include "agent/base/assert.h"

namespace weir {
namespace {

constexpr size_t round_up(size_t bytes, size_t step) { return (bytes + step - 1) / step * step; }

}  // namespace

BlockHeap::BlockHeap(std::span<uint8_t> block) {
  static_assert(sizeof(Header) == alignment && sizeof(Links) == alignment);
  const auto address = reinterpret_cast<uintptr_t>(block.data());
  const size_t skipped = round_up(address, alignment) - address;
  if (block.size() < skipped + 2 * alignment) return;
  capacity_ = std::min((block.size() - skipped) / alignment * alignment, size_t{1} << 31);
  begin_ = block.data() + skipped;
  end_ = begin_ + capacity_;
  auto* first = reinterpret_cast<Header*>(begin_);
  *first = {nullptr, capacity_ - sizeof(Header)};
  list(first);
}

uint8_t* BlockHeap::memory_of(Header* block) { return reinterpret_cast<uint8_t*>(block + 1); }
BlockHeap::Header* BlockHeap::block_of(void* memory) { return static_cast<Header*>(memory) - 1; }
BlockHeap::Links& BlockHeap::links_of(Header* block) { return *reinterpret_cast<Links*>(block + 1); }
size_t BlockHeap::size_of(const void* memory) { return bytes_of(static_cast<const Header*>(memory) - 1); }

/// The block that lies behind this one; nullptr for the last.
BlockHeap::Header* BlockHeap::behind(Header* block) const {
  uint8_t* next = memory_of(block) + bytes_of(block);
  return next == end_ ? nullptr : reinterpret_cast<Header*>(next);
}

/// Where a free block of so many bytes is listed. Row 0 holds the smallest, a column for each size; each row above is twice as
/// wide as the one below it.
BlockHeap::Place BlockHeap::place_of(size_t bytes) {
  const size_t steps = bytes / alignment;
  if (steps < columns) return {0, steps};
  const auto row = static_cast<size_t>(std::bit_width(steps)) - static_cast<size_t>(std::bit_width(columns)) + 1;
  return {row, (steps >> (row - 1)) - columns};
}

/// A free block with at least so many bytes: the first of a list all of whose blocks are large enough.
BlockHeap::Header* BlockHeap::find(size_t bytes) const {
  Place place = place_of(bytes);
  if (place.row > 0) place = place_of(bytes + (alignment << (place.row - 1)) - 1);
  if (place.row >= rows) return nullptr;
  uint32_t fitting = column_bits_[place.row] & (~uint32_t{0} << place.column);
  if (fitting == 0) {
    const uint32_t above = place.row + 1 < rows ? row_bits_ & (~uint32_t{0} << (place.row + 1)) : 0;
    if (above == 0) return nullptr;
    place.row = static_cast<size_t>(std::countr_zero(above));
    fitting = column_bits_[place.row];
  }
  return lists_[place.row][static_cast<size_t>(std::countr_zero(fitting))];
}

void BlockHeap::list(Header* block) {
  const Place place = place_of(bytes_of(block));
  Header*& first = lists_[place.row][place.column];
  links_of(block) = {first, nullptr};
  if (first != nullptr) links_of(first).previous = block;
  first = block;
  block->size |= free_bit;
  column_bits_[place.row] |= uint32_t{1} << place.column;
  row_bits_ |= uint32_t{1} << place.row;
}

void BlockHeap::unlist(Header* block) {
  const Place place = place_of(bytes_of(block));
  const Links links = links_of(block);
  if (links.next != nullptr) links_of(links.next).previous = links.previous;
  if (links.previous != nullptr) {
    links_of(links.previous).next = links.next;
  } else {
    lists_[place.row][place.column] = links.next;
    if (links.next == nullptr) column_bits_[place.row] &= ~(uint32_t{1} << place.column);
    if (column_bits_[place.row] == 0) row_bits_ &= ~(uint32_t{1} << place.row);
  }
  block->size &= ~free_bit;
}

/// Gives what lies behind the first `bytes` of a block back, if it is enough for a block.
void BlockHeap::cut(Header* block, size_t bytes) {
  if (bytes_of(block) < bytes + sizeof(Header) + sizeof(Links)) return;
  auto* rest = reinterpret_cast<Header*>(memory_of(block) + bytes);
  *rest = {block, bytes_of(block) - bytes - sizeof(Header)};
  block->size = bytes;
  if (Header* next = behind(rest)) next->before = rest;
  list(rest);
}

void* BlockHeap::allocate(size_t bytes) {
  if (bytes > capacity_) return nullptr;
  bytes = std::max(round_up(bytes, alignment), sizeof(Links));
  Header* block = find(bytes);
  if (block == nullptr) return nullptr;
  unlist(block);
  cut(block, bytes);
  used_ += sizeof(Header) + bytes_of(block);
  peak_ = std::max(peak_, used_);
  return memory_of(block);
}

void BlockHeap::join_with_next(Header* block) {
  block->size += sizeof(Header) + bytes_of(behind(block));
  if (Header* next = behind(block)) next->before = block;
}

void BlockHeap::release(void* memory) {
  WEIR_ASSERT(owns(memory));
  Header* block = block_of(memory);
  WEIR_ASSERT(!is_free(block));
  used_ -= sizeof(Header) + bytes_of(block);
  if (Header* next = behind(block); next != nullptr && is_free(next)) {
    unlist(next);
    join_with_next(block);
  }
  if (Header* before = block->before; before != nullptr && is_free(before)) {
    unlist(before);
    join_with_next(before);
    block = before;
  }
  list(block);
}

bool BlockHeap::consistent() const {
  size_t listed = 0;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      Header* previous = nullptr;
      for (Header* block = lists_[row][column]; block != nullptr; block = links_of(block).next) {
        const Place place = place_of(bytes_of(block));
        if (!is_free(block) || place.row != row || place.column != column) return false;
        if (links_of(block).previous != previous) return false;
        previous = block;
        ++listed;
      }
      const bool marked = (column_bits_[row] >> column & 1) != 0;
      if (marked != (lists_[row][column] != nullptr)) return false;
    }
    if (((row_bits_ >> row & 1) != 0) != (column_bits_[row] != 0)) return false;
  }
  size_t in_use = 0;
  Header* before = nullptr;
  Header* block = capacity_ == 0 ? nullptr : reinterpret_cast<Header*>(begin_);
  for (; block != nullptr; before = block, block = behind(block)) {
    if (block->before != before) return false;
    if (is_free(block) && before != nullptr && is_free(before)) return false;
    if (is_free(block)) --listed;
    if (!is_free(block)) in_use += sizeof(Header) + bytes_of(block);
  }
  return listed == 0 && in_use == used_;
}

}  // namespace weir
