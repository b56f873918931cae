// WindowIndex: which keys have which windows open, in memory only; it is built again from the stored windows after a restart.
// It answers four questions without a scan: the place of a key, a key's window with a given start, the windows with the
// earliest start, and the key that was updated longest ago. A window's number is its slot in the KeyedState, where its bytes
// and its key lie. A key is here exactly as long as it has a window. Owned by one WindowAggregate; reactor thread; never
// allocates after it was made. Finding a window walks the key's open windows, newest first; finding a start is a binary
// search over the distinct starts: both are few.
#pragma once

#include "agent/base/key_table.h"

namespace weir {

class WindowIndex {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  /// Takes the pools "<pool>.key-table", "<pool>.keys", "<pool>.windows" and "<pool>.starts". There may be as many distinct
  /// starts as windows, so a clock that jumps overruns nothing.
  WindowIndex(uint32_t keys_max, uint32_t windows_max, Arena& arena, std::string_view pool);

  /// The key with this hash for which `has_key(window)` says yes for one of its windows, or none.
  uint32_t find_key(uint64_t hash, FunctionRef<bool(uint32_t window)> has_key) const;
  bool keys_full() const { return free_key_ == none; }
  /// Adds a key as the one updated last. Requires !keys_full(); it must get a window next.
  uint32_t add_key(uint64_t hash);
  /// The key was updated.
  void touch(uint32_t key);
  uint32_t least_recent_key() const { return least_recent_; }

  uint32_t find_window(uint32_t key, int64_t start_ms) const;
  /// Requires that the key has no window with this start.
  void add_window(uint32_t key, int64_t start_ms, uint32_t window);
  /// Its key goes with it if it was the last one.
  void remove_window(uint32_t window);
  uint32_t earliest_window(uint32_t key) const;
  bool is_only_window(uint32_t window) const;

  /// The distinct starts of all open windows.
  uint32_t start_count() const { return start_count_; }
  /// Requires start_count() > 0.
  int64_t earliest_start() const { return starts_[0].start_ms; }
  /// Calls for each window with the earliest start, in no particular order.
  void for_each_earliest(FunctionRef<void(uint32_t window)> visit) const;

 private:
  struct Key {
    uint64_t hash = 0;
    uint32_t newest_window = none;
    uint32_t more_recent = none;
    uint32_t less_recent = none;  // of a free place: the next free one
  };
  struct Window {
    int64_t start_ms = 0;
    uint32_t key = none;
    uint32_t older = none;                  // of the same key
    uint32_t next = none, previous = none;  // of the same start
  };
  struct Start {
    int64_t start_ms = 0;
    uint32_t first = none;
  };

  void link_most_recent(uint32_t key);
  void unlink(uint32_t key);
  void remove_key(uint32_t key);
  Start* find_start(int64_t start_ms) const;
  void enter_start(uint32_t window);
  void leave_start(uint32_t window);

  KeyTable table_;
  std::span<Key> keys_;
  std::span<Window> windows_;
  std::span<Start> starts_;  // ascending; the first start_count_
  uint32_t start_count_ = 0;
  uint32_t free_key_ = none;
  uint32_t most_recent_ = none;
  uint32_t least_recent_ = none;
};

}  // namespace weir
