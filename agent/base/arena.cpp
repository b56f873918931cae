#include "agent/base/arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

namespace weir {
namespace {

constexpr size_t backing_step = 64 * 1024;

size_t round_up(size_t value, size_t step) { return (value + step - 1) / step * step; }

}  // namespace

Arena::Arena(size_t capacity) : capacity_(round_up(capacity < SIZE_MAX / 2 ? capacity : SIZE_MAX / 2, backing_step)) {
  void* base = MAP_FAILED;
  while ((base = mmap(nullptr, capacity_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) == MAP_FAILED &&
         capacity_ > backing_step)
    capacity_ = round_up(capacity_ / 2, backing_step);
  WEIR_ASSERT(base != MAP_FAILED);
  base_ = static_cast<uint8_t*>(base);
}

Arena::Arena(Arena& whole, size_t from, size_t to)
    : base_(whole.base_), capacity_(to), backed_(whole.backed_), used_(from), borrowed_(true) {
  WEIR_ASSERT(from <= to && to <= whole.used_);
}

Arena::~Arena() {
  if (capacity_ > 0 && !borrowed_) munmap(base_, capacity_);
}

void Arena::freeze() {
  frozen_ = true;
  if (borrowed_) return;
  if (backed_ < capacity_) munmap(base_ + backed_, capacity_ - backed_);
  capacity_ = backed_;
}

void Arena::give_back(size_t from, size_t to) {
  WEIR_ASSERT(from <= to && to <= used_ && !borrowed_);
  given_back_ += to - from;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t first = round_up(from, page);
  const size_t last = to / page * page;
  if (first < last) madvise(base_ + first, last - first, MADV_DONTNEED);
}

void* Arena::take_bytes(size_t bytes, size_t alignment, std::string_view name, std::string_view reason) {
  WEIR_ASSERT(!frozen_);
  size_t start = round_up(used_, alignment < 8 ? 8 : alignment);
  size_t end = start + bytes;
  if (end < start || end > capacity_) refuse(bytes, name, reason);
  if (end > backed_) {
    size_t wanted = round_up(end, backing_step);
    if (mprotect(base_ + backed_, wanted - backed_, PROT_READ | PROT_WRITE) != 0) refuse(bytes, name, reason);
    backed_ = wanted;
  }
  memset(base_ + used_, 0, end - used_);
  size_t taken = end - used_;
  used_ = end;
  for (Pool& pool : pools_) {
    if (pool.name == name) {
      pool.bytes += taken;
      return base_ + start;
    }
  }
  pools_.push_back({std::string(name), std::string(reason), taken});
  return base_ + start;
}

void Arena::refuse(size_t bytes, std::string_view name, std::string_view reason) const {
  fprintf(stderr,
          "error: the configuration asks for more memory than there is: %zu bytes for %.*s (%.*s), with %zu of %zu taken\n"
          "  help: make its keys, windows or buffers fewer or smaller, or leave it out\n",
          bytes, static_cast<int>(name.size()), name.data(), static_cast<int>(reason.size()), reason.data(), used_, capacity_);
  constexpr int exit_config = 78;  // EX_CONFIG
  _exit(exit_config);
}

}  // namespace weir
