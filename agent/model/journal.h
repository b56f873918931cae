// Journal: the seam to a recording of raw input that survives a power cut. A source with `ack = "journal"` appends every
// message before it hands it over, and acknowledges it once the group it belongs to is durable. A checkpoint holds a position;
// after a crash what follows that position is read back and handed over again.
//
// Life: open() at start-up -> connect() -> read_batch() until nothing is left -> append() and commit().
// Owned by the source; reactor thread. append() copies bytes and nothing else; the disk is waited for on another thread.
#pragma once

#include "agent/base/bytes.h"
#include "agent/base/clock.h"
#include "agent/base/status.h"
#include "agent/model/background.h"

namespace weir {

/// Where a batch begins, or will begin. Stored in checkpoints: 32 bytes.
struct JournalPosition {
  uint64_t at = 0;        // laps of the ring times its size, plus the offset in the file
  uint64_t sequence = 0;  // of the batch that begins here; from 1
  uint32_t chain = 0;     // the header CRC of the batch before
  uint32_t epoch = 0;     // no batch from here on was written by an earlier process
  uint64_t ring_bytes = 0;

  static constexpr size_t encoded_bytes = 32;
  void encode(ByteWriter& out) const {
    out.put(at);
    out.put(sequence);
    out.put(chain);
    out.put(epoch);
    out.put(ring_bytes);
  }
  static JournalPosition decode(ByteReader& in) {
    JournalPosition position;
    position.at = in.get<uint64_t>();
    position.sequence = in.get<uint64_t>();
    position.chain = in.get<uint32_t>();
    position.epoch = in.get<uint32_t>();
    position.ring_bytes = in.get<uint64_t>();
    return position;
  }
  bool operator==(const JournalPosition&) const = default;
};

/// Stored: the numbers stay.
enum class JournalKind : uint8_t {
  Message = 1,
  TopicTooLong = 2,  // a message that was set aside at once; what is kept of it is cut off
  PayloadTooLong = 3,
  SessionLost = 4,  // no message: from here on packet ids mean something else
};

/// Views are good until the next call that reads or appends.
struct JournalRecord {
  JournalKind kind = JournalKind::Message;
  uint8_t qos = 0;
  bool retained = false;
  bool unsynchronised = false;  // see Message
  uint16_t packet_id = 0;
  int64_t arrival_ms = 0;
  uint64_t offset = 0;      // of the message; those of one batch follow one another
  uint64_t full_bytes = 0;  // of what was too long
  uint64_t hash = 0;        // of topic and payload as they came; kept of what was too long
  std::string_view topic;
  Bytes payload;
};

/// What open() found behind the position of the checkpoint.
struct JournalRecovery {
  uint64_t messages = 0;           // to be handed over again
  uint64_t end_offset = 0;         // of the newest of them; 0: none
  uint64_t newest_checkpoint = 0;  // that a batch knows to have completed
  uint64_t lost_batches = 0;       // that were durable and cannot be reached: damaged, or written over
};

struct JournalStatus {
  bool used = false;
  uint64_t bytes = 0;             // of the ring
  uint64_t needed_bytes = 0;      // of it, what a retained checkpoint may have to read again
  uint64_t written_bytes = 0;     // by this process, padding included
  uint64_t groups = 0;            // written by this process: each one fdatasync
  int64_t oldest_arrival_ms = 0;  // of what can still be replayed; 0: nothing yet
  uint64_t replay_messages = 0;   // that this start had to hand over again
  uint64_t replayed = 0;          // of these, how many were
  uint64_t lost_batches = 0;      // see JournalRecovery
  uint64_t replay_end_offset = 0;
  uint64_t newest_checkpoint = 0;  // that what is replayed knows to have completed
  const char* error = "";
};

class JournalUser {
 public:
  virtual ~JournalUser() = default;
  /// A commit has ended. Code::Full: nothing was written, it may be tried again; any other failure is final.
  virtual void on_durable(Status status, Now now) = 0;
  /// read_batch() has ended: Ok: there are records to take; Code::NotFound: nothing is left, append() may begin.
  virtual void on_batch(Status status, Now now) = 0;
};

class Journal {
 public:
  virtual ~Journal() = default;

  /// Start-up only, and once. `from`: where the restored checkpoint stands; nullptr: there is none, nothing is to be replayed.
  /// `nothing_follows`: the checkpoint was the last thing that its process did, so the ring may be made anew in another size.
  virtual Result<JournalRecovery> open(const JournalPosition* from, bool nothing_follows) = 0;
  virtual void connect(JournalUser& user) = 0;

  /// Reads the next batch behind `position()`. Requires that nothing is appended or busy.
  virtual void read_batch() = 0;
  /// The next record of the batch that was read; false: the batch is exhausted, and the position is behind it.
  virtual bool next(JournalRecord& record) = 0;

  /// Whether one more record of the largest size may be appended: in memory, and on the disk without reaching what a retained
  /// checkpoint needs.
  virtual bool has_room() const = 0;
  /// Requires has_room() and that the replay is over.
  virtual void append(const JournalRecord& record) = 0;
  /// Messages that were appended and are not durable.
  virtual uint64_t pending() const = 0;
  /// A commit or a read is on its way: nothing may be appended.
  virtual bool busy() const = 0;
  /// Makes what was appended durable. Requires !busy() and pending records.
  virtual void commit() = 0;

  /// Where the records begin that are not handed over completely: what a checkpoint stores. Requires that nothing is pending.
  virtual JournalPosition position() const = 0;
  /// What begins before this is not needed any more.
  virtual void release(const JournalPosition& oldest_needed) = 0;
  /// Written into the headers from now on.
  virtual void note_checkpoint(uint64_t checkpoint_id) = 0;
  /// How much was appended since that position, in bytes of the ring.
  virtual uint64_t bytes_since(const JournalPosition& position) const = 0;
  virtual JournalStatus status() const = 0;
};

}  // namespace weir
