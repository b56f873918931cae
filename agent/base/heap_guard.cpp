#include "agent/base/heap_guard.h"

#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace weir {
namespace {

thread_local HeapOwner owner = HeapOwner::Weir;
std::atomic<bool> armed{false};
std::atomic<bool> abort_on_first{false};
std::atomic<uint64_t> counts[heap_owner_count];

}  // namespace

HeapScope::HeapScope(HeapOwner scope_owner) : previous_(owner) { owner = scope_owner; }
HeapScope::~HeapScope() { owner = previous_; }

void heap_guard_arm() {
  for (auto& count : counts) count.store(0, std::memory_order_relaxed);
  const char* mode = getenv("WEIR_HEAP_GUARD");
  abort_on_first.store(mode != nullptr && strcmp(mode, "abort") == 0);
  armed.store(true);
}

void heap_guard_disarm() { armed.store(false); }

uint64_t heap_allocations(HeapOwner which) { return counts[static_cast<int>(which)].load(std::memory_order_relaxed); }

void heap_guard_note() {
  if (!armed.load(std::memory_order_relaxed)) return;
  counts[static_cast<int>(owner)].fetch_add(1, std::memory_order_relaxed);
  if (owner == HeapOwner::Weir && abort_on_first.load(std::memory_order_relaxed)) {
    armed.store(false);
    constexpr char text[] = "<2>weir: heap guard: weir allocated after start-up\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
      // The abort says it too.
    }
    abort();
  }
}

}  // namespace weir
