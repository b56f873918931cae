// CheckpointStore: the seam to durable storage. One store per state directory, used by one thread at a time (the storage
// thread while the agent runs; whoever opens it before and after). The product's store is SQLite (storage/); tests put others
// in its place.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agent/base/function_ref.h"
#include "agent/base/status.h"
#include "agent/model/manifest.h"
#include "agent/model/snapshot.h"
#include "agent/model/stateful.h"

namespace weir {

/// Everything that one checkpoint makes durable, or nothing of it.
struct CheckpointWrite {
  uint32_t pipeline = 0;  // from open_pipeline
  uint64_t id = 0;
  CheckpointReason reason = CheckpointReason::None;
  int64_t created_wall_ms = 0;
  /// Ids up to this one are spoken for: after a crash the next id is larger, even if this attempt was never committed.
  uint64_t reserved_id = 0;
  uint64_t source_offset = 0;  // of the newest message that it covers
  Bytes manifest;
  const Snapshot* snapshot = nullptr;
};

struct PipelineRow {
  uint32_t pipeline = 0;
  uint64_t last_checkpoint_id = 0;  // 0: none yet
  uint64_t reserved_id = 0;         // not less than any id that is known to have been used
  /// The newest checkpoint that is known to have completed, from a note outside the database. Larger than the checkpoint that
  /// load() finds: the database went back.
  uint64_t newest_known_id = 0;
  uint64_t newest_known_offset = 0;  // its source_offset
};

/// A retained checkpoint that load() has passed over.
struct DamagedCheckpoint {
  uint64_t id = 0;
  Status damage;          // the first thing that disagrees
  Bytes manifest;         // empty if it is damaged itself
  std::string_view copy;  // the file that keeps the state as it was found; empty if none could be made
};

/// Receives a stored checkpoint: its manifest first, then the blobs of every part in the order that Stateful::restore
/// states. The handler's error ends the load and is returned.
class RestoreHandler {
 public:
  virtual ~RestoreHandler() = default;
  /// Before the manifest, newest first: checkpoints that were set aside because they are damaged.
  virtual void on_damaged(const DamagedCheckpoint&) {}
  virtual Status on_manifest(Bytes manifest) = 0;
  virtual Status on_blob(uint32_t op, const StoredBlob& blob) = 0;
  /// Outbox blobs wait on disk; they are announced oldest first and read one at a time with next_outbox. There is at most
  /// one per part and checkpoint (index 0).
  virtual Status on_outbox(uint32_t op, uint64_t checkpoint_id, size_t bytes) = 0;
};

struct StoredOutbox {
  uint64_t checkpoint_id = 0;
  size_t bytes = 0;
};

struct StoredDeadLetter {
  int64_t id = 0;
  std::string_view pipeline;
  uint64_t checkpoint_id = 0;
  DeadLetter letter;
};

/// State of a part that has left the configuration, kept for its return.
struct KeptPart {
  uint32_t op = 0;
  std::string uid;
  uint64_t checkpoint_id = 0;  // that the state belongs to
  uint64_t layout = 0;         // as in the manifest
  int64_t since_wall_ms = 0;   // when it left
};

/// Limits of the dead letters of one pipeline; the oldest go first.
/// What happens when a letter more than the limits comes.
enum class DeadLettersFull : uint8_t {
  Oldest,  // the oldest go
  Newest,  // the new ones are not kept
  Hold,    // the checkpoint fails with Code::Full: nothing is acknowledged until there is room
};

struct DeadLetterLimits {
  uint64_t rows_max = 10000;
  uint64_t bytes_max = 4 << 20;
  DeadLettersFull full = DeadLettersFull::Oldest;
};

/// Some of the stored dead letters. Views.
struct DeadLetterSelection {
  int64_t after = 0;              // with larger ids
  int64_t up_to = INT64_MAX;      // with ids no larger
  std::string_view pipeline;      // empty: of any
  std::string_view reason;        // empty: any
  int64_t id = 0;                 // 0: any
  int64_t before_ms = INT64_MAX;  // arrived before, wall clock
};

struct SelectedLetters {
  uint64_t count = 0;
  int64_t newest_id = 0;
};

struct PipelineLimits {
  DeadLetterLimits dead_letters;
  uint32_t checkpoints_retained = 2;  // 1 to checkpoints_retained_max: the newest so many can each be loaded whole
};
constexpr uint32_t checkpoints_retained_max = 16;

class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  /// Tells this store from every other one: part of the ids of results, which must differ between two gateways with the same
  /// configuration, and after a state directory was thrown away.
  virtual uint64_t instance() const = 0;

  /// Finds or creates the row of a pipeline.
  virtual Result<PipelineRow> open_pipeline(std::string_view name, PipelineLimits limits) = 0;
  /// The number of a stateful part; the same for the same pipeline and uid for ever. Numbers start at 1.
  virtual Result<uint32_t> operator_number(uint32_t pipeline, std::string_view uid) = 0;
  /// Makes `reserved_id` durable before the first id above the old reservation is used.
  virtual Status reserve_ids(uint32_t pipeline, uint64_t reserved_id) = 0;

  /// One transaction, durable on return. Code::Full and Code::Busy: rolled back, the same changes may be tried again.
  /// Code::Io and Code::Corrupt: what is on disk is unknown; the process must stop acknowledging and recover.
  virtual Status commit(const CheckpointWrite& write) = 0;
  /// From any thread: a commit under way is to give up, and returns Code::Busy with nothing written, unless it is done first.
  virtual void interrupt() {}
  /// Housekeeping that may wait until after the commit was announced (moving the WAL into the database).
  virtual Status after_commit() = 0;

  /// Loads the newest retained checkpoint of the pipeline whose CRCs, ids and counts all agree; nothing of it is handed over
  /// before all of it was checked. Newer ones that are damaged are announced with on_damaged and taken out, after the database
  /// was copied. Code::NotFound if there is no checkpoint; Code::Corrupt if none of them is sound.
  virtual Status load(uint32_t pipeline, RestoreHandler& handler) = 0;

  /// What the bytes of a layout are, by the hash of the text (hash64), which is what manifests name. Start-up only, as is all
  /// that deals with kept parts.
  virtual Status put_layout(uint64_t hash, std::string_view text) = 0;
  /// Code::NotFound if no such text is stored.
  virtual Result<std::string> layout(uint64_t hash) = 0;
  /// Parts of the pipeline that have left it and whose state is still whole.
  virtual Status each_kept(uint32_t pipeline, FunctionRef<Status(const KeptPart&)> visit) = 0;
  virtual Status keep_part(const KeptPart& part) = 0;
  /// It is not kept any more; `with_state`: and its rows are deleted. Otherwise they are those of a part that has returned.
  virtual Status forget_kept(uint32_t op, bool with_state) = 0;
  /// The blobs of one part at a checkpoint, checked as those of load() are.
  virtual Status load_kept(const KeptPart& part, RestoreHandler& handler) = 0;

  /// Copies the oldest outbox blob of `op` that belongs to a checkpoint later than `after_checkpoint` into `to`.
  /// Code::NotFound if there is none, Code::Full if it does not fit, Code::Corrupt if its CRC disagrees.
  virtual Result<StoredOutbox> next_outbox(uint32_t op, uint64_t after_checkpoint, std::span<uint8_t> to) = 0;

  /// Dead letters with id > after, oldest first, at most `limit`; pipeline 0 means all.
  virtual Status list_dead_letters(uint32_t pipeline, int64_t after, size_t limit,
                                   FunctionRef<void(const StoredDeadLetter&)> visit) = 0;
  /// Dead letters kept and bytes of payload; and how many the limits have pushed out.
  struct DeadLetterCounts {
    uint64_t rows = 0;
    uint64_t bytes = 0;
    uint64_t purged = 0;
  };
  virtual Result<DeadLetterCounts> count_dead_letters(uint32_t pipeline) = 0;
};

}  // namespace weir
