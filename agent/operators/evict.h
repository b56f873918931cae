// Evict: what a keyed step does when a new key finds no room. A plain value, read while the agent starts.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

enum class Evict : uint8_t {
  Reject,  // the record becomes a dead letter with the reason "capacity"
  Oldest,  // the key updated longest ago gives up its state without a result
  Emit,    // the same, but what its state has to say is handed on first; if downstream has no room for that: as Reject
};

/// "reject", "oldest", "emit"; false for anything else.
bool parse_evict(std::string_view text, Evict& evict);

}  // namespace weir
