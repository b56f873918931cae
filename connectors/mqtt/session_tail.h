// SessionTail: packet id and hash of the newest QoS 1 deliveries, by which a redelivery is recognised after the connection or
// the process came back. The broker marks what it handed out before with DUP, which does not mean that it arrived here: only
// DUP together with the same packet id and the same topic and payload does.
//
// Packet ids run from 1 to 65535 and return; among the newest 32,768 deliveries each stands for one message, as long as fewer
// than 32,767 of them wait for a checkpoint (`pending_max`).
//
// In the database the tail is a row of SessionTail blobs, one per checkpoint that covered a delivery, 10 bytes per delivery:
//
//     { uint16 packet id, uint64 hash } ...     oldest first
//
// Blobs are forgotten from the oldest on, once the newer ones hold the whole capacity. A broker that has lost the session
// empties the tail: the next snapshot then forgets every blob before it.
//
// Owned by the MQTT source; memory from the arena (10 bytes per delivery and a bit); reactor thread only. record() costs a
// store. A redelivery is sought behind the last match first, where the broker's order puts it, else among all ids: 64 KiB
// read in a row, some microseconds.
#pragma once

#include <cstdint>
#include <span>

#include "agent/base/arena.h"
#include "agent/base/status.h"
#include "agent/model/stateful.h"

namespace weir {

constexpr uint32_t session_tail_capacity = 32768;
constexpr uint32_t session_tail_pending_max = 32766;
constexpr size_t session_tail_entry_bytes = 10;

class SessionTail {
 public:
  /// Requires pending_max <= session_tail_pending_max. `keeps_newest`: a checkpoint takes the newest pending_max deliveries
  /// only, because what is older was acknowledged long before (a journal covers it); the tail is never full then.
  SessionTail(Arena& arena, std::string_view pool_name, uint32_t pending_max, bool keeps_newest = false);

  /// The broker kept the session: redeliveries may come. What matched in an earlier window may match again, for its
  /// acknowledgement may have been lost.
  void open_window();
  /// A delivery without DUP has arrived: the broker is done with redelivering.
  void close_window() { window_open_ = false; }
  bool window_open() const { return window_open_; }
  /// Whether this delivery is in the tail; each entry matches once per window. Requires window_open().
  bool match(uint16_t mid, uint64_t hash);
  /// A delivery that is not a redelivery, whatever becomes of it. Requires !full().
  void record(uint16_t mid, uint64_t hash);

  /// Deliveries that no committed checkpoint covers.
  uint32_t pending() const { return pending_; }
  bool full() const { return !keeps_newest_ && pending_ >= pending_max_; }
  uint32_t size() const { return size_; }

  /// The broker has no session. The stored tail is void too, but only once a checkpoint has said so: see clear_is_durable().
  void clear();
  /// Nothing that an earlier clear() voided would come back after a crash.
  bool clear_is_durable() const { return clearing_ == Clearing::None; }
  /// Back to the state before the first restore(); nothing that is stored is touched.
  void reset();

  SnapshotBounds snapshot_bounds() const { return {size_t{pending_max_} * session_tail_entry_bytes, 1, 1}; }
  /// Writes the pending deliveries, if any, and says which stored blobs may go.
  void snapshot(Snapshot& snapshot, uint32_t op);
  void snapshot_done(bool committed);
  /// The blobs come back oldest first. Code::Corrupt if this cannot be one.
  Status restore(const StoredBlob& blob);

 private:
  enum class Clearing : uint8_t { None, Wanted, Staged };
  /// Neighbouring blobs, counted together so that many small ones need little room here.
  struct Group {
    uint64_t last_checkpoint = 0;
    uint32_t deliveries = 0;
  };
  /// What the snapshot in flight will have changed if it is committed.
  struct Staged {
    uint64_t checkpoint = 0;
    uint32_t written = 0;  // deliveries in its blob
    uint32_t settled = 0;  // of these, how many are still pending here
    uint32_t trimmed = 0;  // groups, from the oldest on
  };

  void append(uint16_t mid, uint64_t hash);
  bool try_match(uint32_t age, uint16_t mid, uint64_t hash);
  uint32_t index_of(uint32_t age) const;
  void append_group(uint64_t checkpoint, uint32_t deliveries);
  void drop_groups(uint32_t count);
  uint32_t groups_to_trim(uint32_t with) const;

  std::span<uint16_t> mids_;
  std::span<uint64_t> hashes_;
  std::span<uint8_t> matched_;  // a bit per entry
  std::span<Group> groups_;     // oldest first
  uint32_t group_count_ = 0;
  uint32_t stored_ = 0;  // deliveries in all groups
  uint32_t next_ = 0;    // where the next delivery goes
  uint32_t size_ = 0;
  uint32_t pending_ = 0;
  uint32_t pending_max_;
  bool keeps_newest_;
  uint32_t expected_age_ = 0;  // where the next redelivery is expected; counted back from the newest, from 1; 0: nowhere
  bool window_open_ = false;
  Clearing clearing_ = Clearing::None;
  Staged staged_;
};

}  // namespace weir
