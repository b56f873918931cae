// Late: what a step does with a record that comes too late for it. A plain value, read while the agent starts.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

enum class Late : uint8_t {
  Drop,        // counted as late, and goes no further
  Side,        // goes on at the step's branch "<id>.late", as it came in
  DeadLetter,  // set aside with the reason "late"
};

/// "drop", "side", "dead-letter"; false for anything else.
bool parse_late(std::string_view text, Late& late);

}  // namespace weir
