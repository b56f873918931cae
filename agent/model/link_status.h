// LinkStatus: what a connection to a broker has been through since the process, or the pipeline, began: told by sources and
// publishers, shown by `weir status`.
#pragma once

#include <cstdint>

namespace weir {

struct LinkStatus {
  uint64_t lost = 0;       // connections that ended, by whichever side
  uint64_t takeovers = 0;  // of these: the broker says that another client came with the same client id
  /// Of these: closed by the broker within ten minutes, without a word. For a takeover MQTT 3.1.1 has no word, and mosquitto
  /// 2.0.11 says none with MQTT 5 either.
  uint64_t closed_early = 0;
  uint64_t failed_attempts = 0;   // tries to connect that came to nothing
  int64_t since_boot_ms = -1;     // since when it is, or is not, connected; -1: it has not begun
  int64_t next_try_boot_ms = -1;  // -1: it is connected, is trying now, or waits for its user
};

}  // namespace weir
