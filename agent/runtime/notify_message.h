// What a service tells its manager (sd_notify(3)), as far as `weir supervise` acts on it.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir {

struct NotifyMessage {
  bool ready = false;
  bool stopping = false;
  bool alive = false;       // WATCHDOG=1
  bool hopeless = false;    // WATCHDOG=trigger: the service says itself that it is stuck
  int64_t extend_ms = 0;    // EXTEND_TIMEOUT_USEC; 0: no wish
  std::string_view status;  // a part of the text; empty: none
};

/// Lines "NAME=VALUE"; what is not known, or makes no sense, is passed over.
NotifyMessage parse_notify_message(std::string_view text);

}  // namespace weir
