// The heap guard counts heap allocations by owner. In guarded builds (all but the sanitizers') malloc and its kin are
// interposed; each allocation is charged to the owner that the current thread is working for. Code that calls a library
// that allocates wraps the call in a HeapScope, and the library's callbacks into weir open one for Weir again. After
// `heap_guard_arm()` weir's own count must stay where it is: `weir status` shows it, tests assert it, and with
// WEIR_HEAP_GUARD=abort in the environment the first such call aborts, so that a core shows who it was.
#pragma once

#include <cstdint>

namespace weir {

/// Restart: weir itself, while it tears down, builds or restores a pipeline that has failed, which is the one time it may.
enum class HeapOwner : uint8_t { Weir, Mosquitto, Sqlite, SystemLibrary, Restart };
constexpr int heap_owner_count = 5;

/// Charges this thread's allocations to `owner` while it lives. Scopes nest.
class HeapScope {
 public:
  explicit HeapScope(HeapOwner owner);
  ~HeapScope();
  HeapScope(const HeapScope&) = delete;
  HeapScope& operator=(const HeapScope&) = delete;

 private:
  HeapOwner previous_;
};

/// Start-up is over: from here on allocations are counted, and weir's own are wrong. `disarm` is for orderly shutdown.
void heap_guard_arm();
void heap_guard_disarm();
/// Allocations by `owner` since `heap_guard_arm()`. 0 in builds without the interposer.
uint64_t heap_allocations(HeapOwner owner);
/// Whether this build interposes malloc.
bool heap_guard_present();

/// Called by the interposed functions; nobody else needs it.
void heap_guard_note();

}  // namespace weir
