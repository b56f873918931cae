// malloc and its kin, counted and handed on to glibc's. Linked into whole programs only, never into a library, and left
// out of sanitizer builds, which bring their own. In a build without this file `heap_guard_present` is false.
#include <cerrno>
#include <cstddef>

#include "agent/base/heap_guard.h"

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) {
  weir::heap_guard_note();
  return __libc_malloc(size);
}

void* calloc(size_t count, size_t size) {
  weir::heap_guard_note();
  return __libc_calloc(count, size);
}

void* realloc(void* memory, size_t size) {
  weir::heap_guard_note();
  return __libc_realloc(memory, size);
}

void* memalign(size_t alignment, size_t size) {
  weir::heap_guard_note();
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) {
  weir::heap_guard_note();
  return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, size_t alignment, size_t size) {
  weir::heap_guard_note();
  void* got = __libc_memalign(alignment, size);
  if (got == nullptr) return ENOMEM;
  *memory = got;
  return 0;
}
}

namespace weir {
bool heap_guard_present() { return true; }
}  // namespace weir
