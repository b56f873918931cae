#include "storage/block_heap.h"

#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <vector>

#include "firmware-tests/support/random.h"

#include <CppUTest/TestHarness.h>

using namespace weir;

TEST_GROUP(BlockHeap) {
  static constexpr size_t header = BlockHeap::alignment;
  std::vector<uint8_t> memory = std::vector<uint8_t>(64 << 10);
  BlockHeap heap{memory};

  /// The largest request that is granted now.
  size_t largest() {
    size_t low = 0;
    for (size_t step = memory.size(); step > 0; step /= 2) {
      void* taken = heap.allocate(low + step);
      if (taken == nullptr) continue;
      heap.release(taken);
      low += step;
    }
    return low;
  }
};

TEST(BlockHeap, gives_aligned_memory_that_does_not_overlap) {
  std::vector<uint8_t*> blocks;
  for (size_t bytes = 1; bytes < 200; ++bytes) {
    auto* block = static_cast<uint8_t*>(heap.allocate(bytes));
    CHECK(block != nullptr);
    UNSIGNED_LONGS_EQUAL(0, reinterpret_cast<uintptr_t>(block) % BlockHeap::alignment);
    CHECK(BlockHeap::size_of(block) >= bytes);
    memset(block, static_cast<int>(bytes), BlockHeap::size_of(block));
    blocks.push_back(block);
  }
  for (size_t bytes = 1; bytes < 200; ++bytes)
    for (size_t at = 0; at < BlockHeap::size_of(blocks[bytes - 1]); ++at) UNSIGNED_LONGS_EQUAL(bytes, blocks[bytes - 1][at]);
  CHECK(heap.consistent());
}

TEST(BlockHeap, gives_the_whole_block_but_for_one_header_and_not_a_byte_more) {
  const size_t all = heap.capacity() - header;
  POINTERS_EQUAL(nullptr, heap.allocate(all + 1));
  POINTERS_EQUAL(nullptr, heap.allocate(SIZE_MAX));
  // Above sixteen steps a request is rounded up to its class.
  const size_t granted = largest();
  CHECK(granted <= all && granted > all - all / 16);
}

TEST(BlockHeap, joins_neighbours_in_any_order_of_release) {
  const size_t before = largest();
  for (const std::vector<size_t>& order :
       {std::vector<size_t>{0, 1, 2}, {2, 1, 0}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}}) {
    void* blocks[] = {heap.allocate(100), heap.allocate(5000), heap.allocate(17)};
    for (size_t index : order) heap.release(blocks[index]);
    CHECK(heap.consistent());
    UNSIGNED_LONGS_EQUAL(0, heap.used());
    UNSIGNED_LONGS_EQUAL(before, largest());
  }
}

TEST(BlockHeap, counts_what_is_used_and_the_most_that_was) {
  void* first = heap.allocate(100);
  void* second = heap.allocate(1000);
  const size_t both = heap.used();
  UNSIGNED_LONGS_EQUAL(2 * header + BlockHeap::size_of(first) + BlockHeap::size_of(second), both);
  heap.release(first);
  CHECK(heap.used() < both);
  UNSIGNED_LONGS_EQUAL(both, heap.peak());
  CHECK(heap.owns(second));
  uint8_t other = 0;
  CHECK_FALSE(heap.owns(&other));
}

TEST(BlockHeap, of_no_memory_or_too_little_gives_nothing) {
  POINTERS_EQUAL(nullptr, BlockHeap().allocate(1));
  uint8_t few[BlockHeap::alignment] = {};
  BlockHeap little(few);
  POINTERS_EQUAL(nullptr, little.allocate(1));
  CHECK(little.consistent() && heap.consistent());
}

TEST(BlockHeap, keeps_every_byte_over_random_calls) {
  const auto seed = static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  printf(" [seed %llu]", static_cast<unsigned long long>(seed));
  Random random(seed);
  std::map<uint8_t*, std::pair<size_t, uint8_t>> model;
  size_t refused = 0;
  for (int call = 0; call < 40'000; ++call) {
    if (random.chance(52) || model.empty()) {
      const size_t bytes = 1 + random.below(uint64_t{1} << random.below(14));
      auto* block = static_cast<uint8_t*>(heap.allocate(bytes));
      const auto fill = static_cast<uint8_t>(random.next());
      if (block == nullptr) {
        ++refused;
        // A refusal is right only where no free block of twice the size can be had.
        CHECK(heap.used() > 0);
      } else {
        memset(block, fill, bytes);
        model[block] = {bytes, fill};
      }
    } else {
      auto chosen = std::next(model.begin(), static_cast<std::ptrdiff_t>(random.below(model.size())));
      for (size_t at = 0; at < chosen->second.first; ++at) UNSIGNED_LONGS_EQUAL(chosen->second.second, chosen->first[at]);
      heap.release(chosen->first);
      model.erase(chosen);
    }
    if (call % 64 == 0) CHECK(heap.consistent());
  }
  CHECK(refused > 0);
  for (const auto& [block, content] : model) heap.release(block);
  CHECK(heap.consistent());
  UNSIGNED_LONGS_EQUAL(0, heap.used());
}
