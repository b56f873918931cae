#include "storage/sqlite_memory.h"

#include <malloc.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "agent/base/assert.h"
#include "storage/block_heap.h"

namespace weir {
namespace {

struct Below {
  std::mutex mutex;
  BlockHeap heap;
  bool lent = false;
  uint64_t refused = 0;
};

Below& below() {
  static Below one;
  return one;
}

void* take(int bytes) {
  Below& memory = below();
  const auto wanted = static_cast<size_t>(bytes);
  const std::scoped_lock lock(memory.mutex);
  if (!memory.lent) return malloc(wanted);
  void* taken = memory.heap.allocate(wanted);
  if (taken == nullptr) ++memory.refused;
  return taken;
}

void give_back(void* taken) {
  Below& memory = below();
  const std::scoped_lock lock(memory.mutex);
  memory.heap.owns(taken) ? memory.heap.release(taken) : free(taken);
}

int size_of(void* taken) {
  if (taken == nullptr) return 0;
  return static_cast<int>(below().heap.owns(taken) ? BlockHeap::size_of(taken) : malloc_usable_size(taken));
}

void* resize(void* taken, int bytes) {
  const int present = size_of(taken);
  if (bytes <= present) return taken;
  void* moved = take(bytes);
  if (moved == nullptr) return nullptr;
  memcpy(moved, taken, static_cast<size_t>(present));
  give_back(taken);
  return moved;
}

int round_up(int bytes) {
  constexpr int step = static_cast<int>(BlockHeap::alignment);
  return (bytes + step - 1) / step * step;
}

int start(void*) { return SQLITE_OK; }
void stop(void*) {}

constexpr sqlite3_mem_methods methods = {take, give_back, resize, size_of, round_up, start, stop, nullptr};

}  // namespace

bool install_sqlite_memory() {
  static const bool installed = [] {
    // Refused once SQLite runs; with no connection open it may be stopped.
    sqlite3_shutdown();
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK && sqlite3_initialize() == SQLITE_OK;
  }();
  return installed;
}

SqliteMemory::SqliteMemory(std::span<uint8_t> block) {
  if (!install_sqlite_memory()) return;
  Below& memory = below();
  const std::scoped_lock lock(memory.mutex);
  WEIR_ASSERT(!memory.lent);
  memory.heap = BlockHeap(block);
  memory.refused = 0;
  memory.lent = true;
}

SqliteMemory::~SqliteMemory() {
  Below& memory = below();
  const std::scoped_lock lock(memory.mutex);
  WEIR_ASSERT(memory.heap.used() == 0);
  memory.heap = BlockHeap();
  memory.lent = false;
}

SqliteMemoryUse SqliteMemory::use() {
  Below& memory = below();
  const std::scoped_lock lock(memory.mutex);
  return {memory.heap.capacity(), memory.heap.used(), memory.heap.peak(), memory.refused};
}

}  // namespace weir
