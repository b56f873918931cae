#include "agent/model/state_layout.h"
#include "firmware-tests/fuzz/targets.h"

namespace weir::fuzz {

void layout(Bytes input) {
  const Result<StateLayout> read = StateLayout::parse(as_text(input));
  if (!read.ok()) return;
  const std::string text = read.value().text();
  const Result<StateLayout> again = StateLayout::parse(text);
  WEIR_ASSERT(again.ok() && again.value().text() == text);
  WEIR_ASSERT(again.value().slot_bytes() == read.value().slot_bytes());
}

}  // namespace weir::fuzz
