// DropWatch: listens to how many messages the broker says that it has dropped. Mosquitto throws a QoS 1 message away on its way
// to a client whose outgoing queue is full and sends it again only after the client's next reconnect; so when the count grows,
// reconnecting brings back what was meant for us. The count is the whole broker's, hence the pause between two reconnects.
// Brokers without $SYS never say anything, and nothing happens. Owned by a source; reactor thread; no heap.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/base/bytes.h"

namespace weir {

class DropWatch {
 public:
  static constexpr const char* topic = "$SYS/broker/publish/messages/dropped";
  static constexpr int64_t reconnect_pause_ms = 60'000;

  /// `filters` are the source's own: one that covers $SYS itself makes the watch stand back.
  DropWatch(bool wanted, const std::vector<std::string>& filters);

  bool enabled() const { return enabled_; }
  /// The broker has stated its count. True if it has grown and the connection should be made anew.
  bool observe(Bytes payload, int64_t boot_ms);
  /// Dropped since the first count that this process saw.
  uint64_t dropped() const { return dropped_; }

 private:
  bool enabled_;
  bool seen_ = false;
  uint64_t count_ = 0;
  uint64_t dropped_ = 0;
  int64_t reconnect_boot_ms_ = INT64_MIN / 2;
};

}  // namespace weir
