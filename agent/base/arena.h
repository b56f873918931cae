// The arena: one block of memory that holds every pool of the agent. It is filled while the agent starts, pool by pool, each
// with a name and a reason, and frozen before the first subscription; after that it never grows. `weir plan` prints the same
// list that `weir run` reserves, for both build the same pools in an arena.
//
// The address space is reserved at once and backed by memory as pools are taken; every page is touched then, so that the
// resident size does not creep up later. Not thread-safe: start-up is one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "agent/base/status.h"

namespace weir {

struct Pool {
  std::string name;    // "overheat.per-minute.slots"
  std::string reason;  // "1000 keys x 2 open windows x 120 bytes"
  size_t bytes = 0;
};

/// A size from a configuration, where addresses have 32 bits: one that cannot be had becomes the largest there is, and is
/// refused as that.
constexpr size_t as_size(uint64_t bytes) { return bytes > SIZE_MAX ? SIZE_MAX : static_cast<size_t>(bytes); }

class Arena {
 public:
  /// Reserves `capacity` bytes of address space, or as many of them as there are: half, a quarter and so on. What does not fit
  /// when it is taken ends the process with exit code 78 (EX_CONFIG) and a word on what is too large: it is the configuration
  /// that asks, and nothing can run without it.
  explicit Arena(size_t capacity = default_capacity);
  /// What `whole` had handed out from `from` to `to` bytes (values of its used()) is handed out once more, in the same places
  /// if the same is asked for: for what is torn down and built again. Nobody may use it any more; `whole` must outlive what is
  /// taken here.
  Arena(Arena& whole, size_t from, size_t to);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /// `count` value-initialised objects that live as long as the arena. T must be trivially destructible. A pool with the
  /// same name again adds to the first's bytes. Requires !frozen(). Returns an empty span for count 0.
  template <class T>
  requires std::is_trivially_destructible_v<T> std::span<T> take(size_t count, std::string_view name, std::string_view reason) {
    if (count == 0) return {};
    void* memory = take_bytes(count * sizeof(T), alignof(T), name, reason);
    T* first = static_cast<T*>(memory);
    for (size_t index = 0; index < count; ++index) new (first + index) T{};
    return {first, count};
  }

  /// Nothing is taken after this; the address space that was not needed is given back.
  void freeze();
  bool frozen() const { return frozen_; }
  /// What was handed out from `from` to `to` is of no use to anybody any more: its memory goes back to the system. At any time.
  void give_back(size_t from, size_t to);
  /// The sum over all pools, alignment included: what `weir plan` calls "reserved".
  size_t used() const { return used_; }
  /// used(), less what was given back.
  size_t held() const { return used_ - given_back_; }
  /// Bytes of address space that are left.
  size_t room() const { return capacity_ - used_; }
  std::span<const Pool> pools() const { return pools_; }

  /// More than any gateway has; only address space until it is taken.
  static constexpr size_t default_capacity = size_t{1} << (sizeof(void*) == 8 ? 32 : 29);

 private:
  [[gnu::cold]] void* take_bytes(size_t bytes, size_t alignment, std::string_view name, std::string_view reason);
  [[noreturn]] void refuse(size_t bytes, std::string_view name, std::string_view reason) const;

  uint8_t* base_ = nullptr;
  size_t capacity_;
  size_t backed_ = 0;
  size_t used_ = 0;
  size_t given_back_ = 0;
  bool frozen_ = false;
  bool borrowed_ = false;
  std::vector<Pool> pools_;
};

}  // namespace weir
