#include "agent/operators/own_window.h"

#include <algorithm>

#include "agent/base/arena.h"
#include "agent/base/hash.h"

namespace weir {

int64_t EarlyResults::first_after(int64_t start_ms, int64_t reached_ms) const {
  const uint64_t passed_ms = reached_ms > start_ms ? static_cast<uint64_t>(reached_ms) - static_cast<uint64_t>(start_ms) : 0;
  const uint64_t rest_ms = static_cast<uint64_t>(every_ms_) - passed_ms % static_cast<uint64_t>(every_ms_);
  return saturating_add(std::max(start_ms, reached_ms), static_cast<int64_t>(rest_ms));
}

int64_t EarlyResults::pane_of(int64_t start_ms, int64_t at_ms) const {
  const uint64_t passed_ms = static_cast<uint64_t>(at_ms) - static_cast<uint64_t>(start_ms);
  return -std::max<int64_t>(1, static_cast<int64_t>(passed_ms / static_cast<uint64_t>(every_ms_)));
}

OwnWindow::OwnWindow(OwnWindowParts parts, Arena& arena, std::string_view pool) : parts_(std::move(parts)) {
  row_ = arena.take<Value>(parts_.fields.size(), std::string(pool) + ".row", "1 result");
}

void OwnWindow::emit(KeyContext& context, const uint8_t* accumulators, WindowSpan span, int64_t pane, uint64_t mark) {
  const std::span<const Value> key = context.key();
  size_t field = key.size();
  std::ranges::copy(key, row_.begin());
  parts_.aggregates.results(accumulators, row_.subspan(field));
  field += parts_.aggregates.size();
  row_[field++] = Value::of_time(span.start_ms);
  row_[field++] = Value::of_time(span.end_ms);
  if (parts_.panes) row_[field] = Value::of_int(pane);
  context.emit(row_, span.end_ms - 1, hash_chain(hash_chain(hash_chain(0, span.start_ms), pane), mark));
}

}  // namespace weir
