// Publisher: the seam at which results leave. The outbox hands over rows that are already durable; the publisher says when the
// other side has taken one. Reactor thread only.
#pragma once

#include <string_view>

#include "agent/base/bytes.h"
#include "agent/base/hash.h"
#include "agent/model/link_status.h"
#include "agent/model/poller.h"

namespace weir {

struct OutboxRow {
  Hash128 id;  // sent along as `weir-id`, the same for every try
  std::string_view topic;
  Bytes payload;
};

class PublisherHandler {
 public:
  virtual ~PublisherHandler() = default;
  /// There is room again, or the connection came up.
  virtual void on_publisher_ready(Now now) = 0;
  /// The other side has acknowledged the row that was published with this ticket.
  virtual void on_published(uint32_t ticket, Now now) = 0;
  /// The other side will not take this row, now or later (a topic that it refuses): it must not be tried for ever.
  virtual void on_rejected(uint32_t ticket, const char* reason, Now now) = 0;
};

struct PublisherStatus {
  bool connected = false;
  uint64_t published = 0;  // acknowledged
  uint64_t in_flight = 0;
  uint64_t connects = 0;
  const char* error = "";
  LinkStatus link{};
};

class Publisher {
 public:
  virtual ~Publisher() = default;
  virtual Status start(Poller& poller, PublisherHandler& handler, Now now) = 0;
  /// Whether publish() would take a row now: connected and fewer in flight than the limit.
  virtual bool ready() const = 0;
  /// Hands one row over. Requires ready(). From here on the publisher owns its delivery within this process, across
  /// reconnects; each ticket is answered exactly once, by on_published or on_rejected.
  virtual void publish(const OutboxRow& row, uint32_t ticket, Now now) = 0;
  /// Says goodbye after what is in flight was acknowledged, or at `deadline`.
  virtual void stop(Now now, int64_t deadline_boot_ms) = 0;
  virtual bool finished() const = 0;
  virtual void on_tick(Now now) = 0;
  virtual PublisherStatus status() const = 0;
};

}  // namespace weir
