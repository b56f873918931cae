#include "agent/operators/window_index.h"

#include <algorithm>
#include <string>

namespace weir {
namespace {

template <class T>
std::span<T> take(Arena& arena, uint32_t count, std::string_view pool, const char* name, const char* what) {
  return arena.take<T>(count, std::string(pool) + name,
                       std::to_string(count) + " " + what + " x " + std::to_string(sizeof(T)) + " bytes");
}

}  // namespace

WindowIndex::WindowIndex(uint32_t keys_max, uint32_t windows_max, Arena& arena, std::string_view pool)
    : table_(keys_max, arena, std::string(pool) + ".key-table"),
      keys_(take<Key>(arena, keys_max, pool, ".keys", "keys")),
      windows_(take<Window>(arena, windows_max, pool, ".windows", "open windows")),
      starts_(take<Start>(arena, windows_max, pool, ".starts", "window starts")) {
  for (uint32_t key = keys_max; key-- > 0;) {
    keys_[key].less_recent = free_key_;
    free_key_ = key;
  }
}

uint32_t WindowIndex::find_key(uint64_t hash, FunctionRef<bool(uint32_t)> has_key) const {
  return table_.find(hash, [&](uint32_t key) { return has_key(keys_[key].newest_window); });
}

uint32_t WindowIndex::add_key(uint64_t hash) {
  WEIR_ASSERT(free_key_ != none);
  const uint32_t key = free_key_;
  free_key_ = keys_[key].less_recent;
  keys_[key] = {.hash = hash};
  table_.insert(hash, key);
  link_most_recent(key);
  return key;
}

void WindowIndex::remove_key(uint32_t key) {
  table_.erase(keys_[key].hash, key);
  unlink(key);
  keys_[key].less_recent = free_key_;
  free_key_ = key;
}

void WindowIndex::link_most_recent(uint32_t key) {
  keys_[key].more_recent = none;
  keys_[key].less_recent = most_recent_;
  if (most_recent_ != none)
    keys_[most_recent_].more_recent = key;
  else
    least_recent_ = key;
  most_recent_ = key;
}

void WindowIndex::unlink(uint32_t key) {
  const Key& gone = keys_[key];
  (gone.more_recent == none ? most_recent_ : keys_[gone.more_recent].less_recent) = gone.less_recent;
  (gone.less_recent == none ? least_recent_ : keys_[gone.less_recent].more_recent) = gone.more_recent;
}

void WindowIndex::touch(uint32_t key) {
  if (key == most_recent_) return;
  unlink(key);
  link_most_recent(key);
}

uint32_t WindowIndex::find_window(uint32_t key, int64_t start_ms) const {
  uint32_t window = keys_[key].newest_window;
  while (window != none && windows_[window].start_ms > start_ms) window = windows_[window].older;
  return window != none && windows_[window].start_ms == start_ms ? window : none;
}

void WindowIndex::add_window(uint32_t key, int64_t start_ms, uint32_t window) {
  uint32_t* link = &keys_[key].newest_window;
  while (*link != none && windows_[*link].start_ms > start_ms) link = &windows_[*link].older;
  WEIR_ASSERT(*link == none || windows_[*link].start_ms != start_ms);
  windows_[window] = {.start_ms = start_ms, .key = key, .older = *link};
  *link = window;
  enter_start(window);
}

void WindowIndex::remove_window(uint32_t window) {
  leave_start(window);
  const uint32_t key = windows_[window].key;
  uint32_t* link = &keys_[key].newest_window;
  while (*link != window) link = &windows_[*link].older;
  *link = windows_[window].older;
  if (keys_[key].newest_window == none) remove_key(key);
}

uint32_t WindowIndex::earliest_window(uint32_t key) const {
  uint32_t window = keys_[key].newest_window;
  while (windows_[window].older != none) window = windows_[window].older;
  return window;
}

bool WindowIndex::is_only_window(uint32_t window) const {
  return keys_[windows_[window].key].newest_window == window && windows_[window].older == none;
}

WindowIndex::Start* WindowIndex::find_start(int64_t start_ms) const {
  return std::lower_bound(starts_.data(), starts_.data() + start_count_, start_ms,
                          [](const Start& start, int64_t wanted_ms) { return start.start_ms < wanted_ms; });
}

void WindowIndex::enter_start(uint32_t window) {
  Start* end = starts_.data() + start_count_;
  Start* start = find_start(windows_[window].start_ms);
  if (start == end || start->start_ms != windows_[window].start_ms) {
    std::copy_backward(start, end, end + 1);
    *start = {windows_[window].start_ms, none};
    ++start_count_;
  }
  windows_[window].next = start->first;
  if (start->first != none) windows_[start->first].previous = window;
  start->first = window;
}

void WindowIndex::leave_start(uint32_t window) {
  const Window& gone = windows_[window];
  if (gone.next != none) windows_[gone.next].previous = gone.previous;
  if (gone.previous != none) {
    windows_[gone.previous].next = gone.next;
    return;
  }
  Start* start = find_start(gone.start_ms);
  start->first = gone.next;
  if (start->first != none) return;
  std::copy(start + 1, starts_.data() + start_count_, start);
  --start_count_;
}

void WindowIndex::for_each_earliest(FunctionRef<void(uint32_t)> visit) const {
  for (uint32_t window = starts_[0].first; window != none; window = windows_[window].next) visit(window);
}

}  // namespace weir
