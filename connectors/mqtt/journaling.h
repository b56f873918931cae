// Journaling: what `ack = "journal"` adds to an MqttSource. Every message is appended to the journal before it is handed over,
// and acknowledged once its group is durable: after `linger`, when half of the broker's window waits, or when the buffer is
// full, whichever comes first. While a group is written nothing is read, so that what is queued for the broker is all covered
// when the answer comes.
//
// What keeps the state exactly once: a checkpoint is taken only when everything that it covers is durable in the journal
// (prepare_checkpoint), and holds the place behind it. A start reads the journal from there, and connects only when all of it
// was handed over. Where no stored checkpoint names a place in this ring (a first start, or one that could not reach all that
// was durable), one is taken before anything is acknowledged: `anchored`.
//
// A checkpoint holds the places of those before it as well, for the ring must keep what an older one needs as long as that one
// may be fallen back to.
//
// Owned by the source; reactor thread; no memory of its own beyond itself.
#pragma once

#include <array>
#include <memory>

#include "agent/model/checkpoint_store.h"
#include "agent/model/journal.h"
#include "agent/model/manifest.h"

namespace weir {

struct JournalingPolicy {
  std::string name;             // the pipeline's, for messages to people
  int64_t linger_ms = 100;      // how long a message may wait for its group
  int64_t keep_ms = 0;          // how far back replaying shall reach; 0: no wish
  uint32_t messages_max = 500;  // that may wait
  uint32_t checkpoints_retained = 2;
};

class JournalingOwner {
 public:
  virtual ~JournalingOwner() = default;
  /// Whether a record that was read back may be handed over now.
  virtual bool may_replay() const = 0;
  virtual void on_replay(const JournalRecord& record, Now now) = 0;
  /// All that was to be replayed was.
  virtual void on_replayed(Now now) = 0;
  /// Nothing that was appended waits any more, or may wait longer.
  virtual void on_journal_durable(Now now) = 0;
  virtual void on_journal_failed(Status status, Now now) = 0;
  virtual void on_checkpoint_wanted(CheckpointReason reason, Now now) = 0;
};

class Journaling final : private JournalUser {
 public:
  Journaling(std::unique_ptr<Journal> journal, JournalingPolicy policy, JournalingOwner& owner);

  // ---- checkpoints and starts
  static constexpr size_t encoded_bytes_max = 2 + checkpoints_retained_max * JournalPosition::encoded_bytes;
  /// The barrier. `nothing_follows`: the process takes no more input after it.
  void encode(ByteWriter& out, bool nothing_follows);
  void snapshot_done(uint64_t checkpoint_id, bool committed);
  /// False: malformed.
  bool decode(ByteReader& in);
  /// Whether input may follow a stored checkpoint, which only a journal can bring back. False: malformed.
  static bool decode_follows(ByteReader& in, bool& follows);
  /// Start-up: finds out what has to be replayed.
  Status open();
  void start(Now now);

  // ---- turns
  bool prepare_checkpoint(Now now);
  void on_turn(Now now);
  int64_t next_deadline_boot_ms() const;
  /// The owner may be ready for more.
  void resume(Now now) { replay(now); }

  // ---- messages
  bool anchored() const { return anchored_; }
  bool replaying() const { return replaying_; }
  /// Whether a message may be taken in now.
  bool accepts() const { return anchored_ && !replaying_ && checkpoint_waits_ == 0 && journal_->has_room(); }
  /// Requires accepts().
  void append(const JournalRecord& record, Now now);
  /// Records that are not durable.
  uint64_t pending() const { return journal_->pending(); }

  JournalStatus status() const { return journal_->status(); }

 private:
  void on_durable(Status status, Now now) override;
  void on_batch(Status status, Now now) override;
  void commit_if_due(Now now);
  void replay(Now now);
  void want_checkpoint_if_filling(Now now);
  void want_checkpoint_if_blocked(Now now);
  void tell_reach(Now now);
  void note_place(const JournalPosition& place);

  std::unique_ptr<Journal> journal_;
  JournalingPolicy policy_;
  JournalingOwner& owner_;
  std::array<JournalPosition, checkpoints_retained_max> places_;  // of retained checkpoints, oldest first
  size_t place_count_ = 0;
  JournalPosition staged_;
  bool staged_anchors_ = false;
  bool nothing_follows_ = false;  // what was restored
  bool anchored_ = false;
  bool replaying_ = false;
  bool in_replay_ = false;
  bool wanted_ = false;          // a checkpoint was asked for, to make room
  bool reach_told_ = false;      // that the ring does not reach back as far as `keep`
  int checkpoint_waits_ = 0;     // turns that a checkpoint, which asked for everything to be durable, may take to come back
  int64_t waiting_boot_ms_ = 0;  // since when the oldest record has been waiting
  int64_t retry_boot_ms_ = 0;
};

}  // namespace weir
