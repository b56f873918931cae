// Source: the seam at which messages come in. A source delivers on the reactor thread, only while its handler is ready, and
// tells the other side that a message arrived only after the checkpoint that covers it is durable (Stateful::snapshot_done), or
// the journal that holds it.
#pragma once

#include "agent/model/journal.h"
#include "agent/model/link_status.h"
#include "agent/model/manifest.h"
#include "agent/model/message.h"
#include "agent/model/poller.h"
#include "agent/model/stateful.h"

namespace weir {

/// What the pipeline is to its source.
class SourceHandler {
 public:
  virtual ~SourceHandler() = default;
  /// Whether a message may be delivered now. False from a barrier until its checkpoint is decided, and while results have
  /// no room. Asked before every message; when it turns true again the pipeline calls Source::resume.
  virtual bool ready() const = 0;
  virtual void on_message(const Message& message, Now now) = 0;
  /// When what is delivered now has arrived, in ms since 1970.
  virtual int64_t arrival_ms(Now now) { return now.wall_ms; }
  /// Whether a message for which there is no room may be read and shed now: false from a barrier until its decision, and while
  /// a checkpoint is wanted.
  virtual bool may_shed() const { return false; }
  /// A message that the source left out, because the pipeline cannot keep up: it is booked, nothing else.
  virtual void on_shed(Now) {}
  /// A redelivery that the source dropped: it is booked, nothing else.
  virtual void on_duplicate(Now now) = 0;
  /// A message that cannot even be delivered (larger than the limit): set aside with this reason.
  virtual void on_refused(const Message& message, const char* reason, std::string_view detail, Now now) = 0;
  /// The other side has forgotten the session: what was published meanwhile may be missing. The source needs a durable
  /// checkpoint (which clears the session tail) before it goes on; snapshot_done tells it.
  virtual void on_session_lost(bool expected, Now now) = 0;
  /// The source cannot go on for long without a checkpoint.
  virtual void want_checkpoint(CheckpointReason, Now) {}
  /// The source cannot go on at all; what it has not acknowledged stays with the other side.
  virtual void on_source_failed(Status, Now) {}
};

struct SourceStatus {
  bool connected = false;
  uint64_t unacknowledged = 0;  // delivered, and not covered by what is durable: a checkpoint, or the journal
  uint64_t connects = 0;
  uint64_t offset = 0;          // of the newest delivery
  uint64_t broker_dropped = 0;  // messages that the broker says it dropped, of all its clients, since this process looks
  const char* error = "";       // why it is not connected, a constant
  JournalStatus journal;        // of `ack = "journal"`
  LinkStatus link{};
  bool shedding = false;  // messages are left out, or were a moment ago
};

class Source : public Stateful {
 public:
  /// Begins to connect. Errors of the network are retried for ever and show in status(); an error returned here is final.
  virtual Status start(Poller& poller, SourceHandler& handler, Now now) = 0;
  /// Stops delivering, sends the acknowledgements that are due, says goodbye. finished() turns true when that is done.
  virtual void stop(Now now) = 0;
  virtual bool finished() const = 0;
  /// The handler is ready again.
  virtual void resume(Now now) = 0;
  /// The checkpoint will not succeed for a while: drop the connection without acknowledging anything; the other side keeps
  /// what was not acknowledged. Reconnects by itself after a delay.
  virtual void abandon(Now now) = 0;
  /// A checkpoint is due: false if something that was delivered must become durable first. Asked again at every turn until it
  /// is true; then the barrier follows at once.
  virtual bool prepare_checkpoint(Now) { return true; }
  /// Called at every turn, and at least at the deadline.
  virtual void on_turn(Now) {}
  virtual int64_t next_deadline_boot_ms() const { return INT64_MAX; }
  /// Called about once a second: keepalive, reconnecting.
  virtual void on_tick(Now now) = 0;
  virtual SourceStatus status() const = 0;
};

}  // namespace weir
