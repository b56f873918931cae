#include "agent/operators/own_window.h"

#include <algorithm>

#include "agent/base/arena.h"
#include "agent/base/hash.h"

namespace weir {

OwnWindow::OwnWindow(OwnWindowParts parts, Arena& arena, std::string_view pool) : parts_(std::move(parts)) {
  row_ = arena.take<Value>(parts_.fields.size(), std::string(pool) + ".row", "1 result");
}

void OwnWindow::emit(KeyContext& context, const uint8_t* accumulators, WindowSpan span, uint32_t pane, uint64_t mark) {
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
