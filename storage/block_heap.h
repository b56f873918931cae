// BlockHeap: malloc and free inside one block of memory that never grows. Free blocks are listed by size in two levels (a
// power of two, and sixteen parts of it), so that each call takes constant time, and neighbours that are free are joined at
// once, so that the block does not crumble: at most a sixteenth of a request is lost to its class. What it costs is a header of
// two words per block. (The scheme is Masmano's "TLSF: a new dynamic memory allocator for real-time systems", 2004.)
//
// Whoever gives the block owns it. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace weir {

class BlockHeap {
 public:
  /// Of what allocate() returns, and the step in which sizes grow.
  static constexpr size_t alignment = 2 * sizeof(void*);

  BlockHeap() = default;
  /// A block too small for anything is an empty heap.
  explicit BlockHeap(std::span<uint8_t> block);

  /// nullptr if no free block is large enough.
  void* allocate(size_t bytes);
  /// Requires memory that allocate() has returned and that was not released since.
  void release(void* memory);
  bool owns(const void* memory) const { return memory >= begin_ && memory < end_; }
  /// At least what was asked for.
  static size_t size_of(const void* memory);

  /// Bytes of blocks in use, headers included; the most that it ever was; and what there is.
  size_t used() const { return used_; }
  size_t peak() const { return peak_; }
  size_t capacity() const { return capacity_; }
  /// For tests: every block, walked from the first to the last, agrees with its neighbours and with the lists.
  bool consistent() const;

 private:
  struct Header {
    Header* before;  // the block in front of this one in memory; nullptr: none
    size_t size;     // of what follows, a multiple of the alignment; lowest bit: the block is free
  };
  /// What lies in a free block behind its header.
  struct Links {
    Header* next;
    Header* previous;
  };
  struct Place {
    size_t row;
    size_t column;
  };
  static constexpr size_t columns = 16;
  static constexpr size_t rows = 28;
  static constexpr size_t free_bit = 1;

  static size_t bytes_of(const Header* block) { return block->size & ~free_bit; }
  static bool is_free(const Header* block) { return (block->size & free_bit) != 0; }
  static uint8_t* memory_of(Header* block);
  static Header* block_of(void* memory);
  static Links& links_of(Header* block);
  static Place place_of(size_t bytes);
  Header* behind(Header* block) const;

  Header* find(size_t bytes) const;
  void list(Header* block);
  void unlist(Header* block);
  void join_with_next(Header* block);
  void cut(Header* block, size_t bytes);

  uint8_t* begin_ = nullptr;
  uint8_t* end_ = nullptr;
  size_t used_ = 0;
  size_t peak_ = 0;
  size_t capacity_ = 0;
  uint32_t row_bits_ = 0;                     // rows that have a free block
  std::array<uint32_t, rows> column_bits_{};  // columns that have one
  std::array<std::array<Header*, columns>, rows> lists_{};
};

}  // namespace weir
