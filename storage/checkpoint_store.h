// SqliteCheckpointStore: the product's CheckpointStore: one SQLite file, `weir.db`, in the state directory, and the lock on
// that directory. docs/state-format.md describes the tables. Whoever starts the agent opens it; while the agent runs the
// storage thread alone uses it. It allocates in open(), open_pipeline(), operator_number() and load(), and never afterwards.
//
// The newest few checkpoints of a pipeline are retained, each whole. That costs no writing: a checkpoint only ever adds rows,
// and what it makes superfluous (deltas, published results, older versions of chunks) is deleted when the oldest retained
// checkpoint does not need it either. Which rows belong to which checkpoint stands in the rows of its parts (part_table.h).
//
// A commit costs one fdatasync (CommitDurability::PowerLoss) and writes each blob once, into the WAL; after_commit() moves
// the WAL into the database when it is long, at two more fdatasyncs.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "agent/model/checkpoint_store.h"
#include "storage/blob_table.h"
#include "storage/checkpoint_table.h"
#include "storage/chunk_table.h"
#include "storage/database.h"
#include "storage/dead_letter_table.h"
#include "storage/kept_table.h"
#include "storage/layout_table.h"
#include "storage/meta_table.h"
#include "storage/newest_file.h"
#include "storage/part_table.h"
#include "storage/registry_table.h"
#include "storage/saved_row.h"
#include "storage/state_lock.h"
#include "storage/transaction.h"

namespace weir {

struct StoreOptions {
  std::string state_dir;
  /// A savepoint, in the place of a state directory: this file alone, without lock, WAL and note. `open_existing` reads it,
  /// otherwise it must not be there.
  std::string savepoint;
  CommitDurability durability = CommitDurability::PowerLoss;
  /// Opens only what exists and writes nothing: for commands that look at the state while no agent runs.
  bool open_existing = false;
  /// after_commit() moves the WAL into the database once it has so many frames (4120 bytes each).
  uint32_t wal_frames_max = 1000;
  /// The largest transaction: the WAL's file is made long enough for wal_frames_max frames and one of these on top, so that
  /// it never grows.
  uint64_t transaction_bytes_max = 512 << 10;
  /// The largest single blob that is written or read.
  uint64_t blob_bytes_max = 64 << 10;
  /// Database file at the start, so that it grows late.
  uint64_t database_bytes = 1 << 20;
  uint64_t database_bytes_max = 0;  // quota; 0: none
  /// load() begins a pipeline anew when none of its retained checkpoints is sound, instead of refusing.
  bool fresh_if_corrupt = false;
};

/// For looking at what is stored: in a state directory, or, where `path` is a file, in a savepoint.
StoreOptions reading_options(const std::string& path);

class SqliteCheckpointStore final : public CheckpointStore {
 public:
  SqliteCheckpointStore() = default;

  /// Creates the directory and the database if there are none. Code::Busy if an agent holds the directory (detail: its pid)
  /// or another program the database (detail: 0); Code::NotFound if `open_existing` and there is none; Code::Incompatible if
  /// the file was written by a newer weir or another program; Code::Corrupt if it is damaged. Once per store: after a failure
  /// take a new one.
  Status open(const StoreOptions& options);
  /// Whether the space that the options ask for could be reserved at open: Ok, or Code::Full. The store works either way.
  Status space_reserved() const { return space_reserved_; }
  /// What the WAL's file is made to hold.
  static uint64_t wal_bytes(const StoreOptions& options);

  /// What SQLite needs in memory at most (storage/sqlite_memory.h), for a store with these options.
  static uint64_t memory_bytes(const StoreOptions& options);

  uint64_t instance() const override { return instance_; }
  Result<PipelineRow> open_pipeline(std::string_view name, PipelineLimits limits) override;
  Result<uint32_t> operator_number(uint32_t pipeline, std::string_view uid) override;
  Status reserve_ids(uint32_t pipeline, uint64_t reserved_id) override;
  Status commit(const CheckpointWrite& write) override;
  void interrupt() override { database_.interrupt(); }
  Status after_commit() override;
  Status load(uint32_t pipeline, RestoreHandler& handler) override;
  Status put_layout(uint64_t hash, std::string_view text) override;
  Result<std::string> layout(uint64_t hash) override;
  Status each_kept(uint32_t pipeline, FunctionRef<Status(const KeptPart&)> visit) override;
  Status keep_part(const KeptPart& part) override;
  Status forget_kept(uint32_t op, bool with_state) override;
  Status load_kept(const KeptPart& part, RestoreHandler& handler) override;
  /// Until it is told otherwise: what is read makes nothing new and repairs nothing, as with `open_existing`.
  void look_only(bool only) { read_only_ = only; }
  /// The names of all pipelines that have state here.
  Status each_pipeline(FunctionRef<Status(std::string_view name)> visit);

  /// Hands over a checkpoint as a stream of SavedRow: as many of its bytes as fit into `out`, from `cursor` on, which then says
  /// where to go on. Code::NotFound if it is not retained any more.
  Status export_rows(uint32_t pipeline, uint64_t checkpoint_id, ExportCursor& cursor, ByteWriter& out);
  /// Keeps a retained checkpoint, and all that are newer, until it is let go (0), so that it can be handed over while others
  /// are made. One in a pipeline. Code::NotFound if there is no such checkpoint.
  Status pin(uint32_t pipeline, uint64_t checkpoint_id);
  uint64_t newest_checkpoint(uint32_t pipeline);
  /// Looks at the structure of the whole file.
  Status check_structure() { return database_.check_structure(StructureCheck::WithIndexes); }

  /// Everything that is stored of the pipeline, but for its dead letters, goes, and what `fill` puts there with import_… takes
  /// its place: one checkpoint, whole, or nothing at all. All or nothing. Code::Corrupt if what was put there is not sound.
  /// For commands.
  Status replace(uint32_t pipeline, FunctionRef<Status()> fill);
  Status import_part(uint32_t op, uint64_t checkpoint_id, const PartSet& set, Bytes bytes);
  Status import_blob(uint32_t op, const StoredBlob& blob);
  Status import_checkpoint(const CheckpointRow& row, uint64_t source_offset);
  /// Values by name: see meta_table.h. put_value writes only what has changed.
  Status put_value(std::string_view name, std::string_view value);
  Result<std::string> value(std::string_view name);

  Result<StoredOutbox> next_outbox(uint32_t op, uint64_t after_checkpoint, std::span<uint8_t> to) override;
  Status list_dead_letters(uint32_t pipeline, int64_t after, size_t limit,
                           FunctionRef<void(const StoredDeadLetter&)> visit) override;
  Result<DeadLetterCounts> count_dead_letters(uint32_t pipeline) override;
  /// The selected letters, oldest first.
  Status select_dead_letters(const DeadLetterSelection& selection, size_t limit,
                             FunctionRef<void(const StoredDeadLetter&)> visit) {
    return dead_letters_.select(selection, limit, visit);
  }
  Result<SelectedLetters> count_dead_letters(const DeadLetterSelection& selection) {
    return dead_letters_.count_selected(selection);
  }
  /// Deletes the oldest of them, at most purge_portion, durably. Says how many those were.
  Result<size_t> purge_dead_letters(const DeadLetterSelection& selection);
  static constexpr size_t purge_portion = 256;

 private:
  /// What a commit changes; replaced as a whole once the transaction is durable.
  struct Counters {
    uint64_t last_checkpoint_id = 0;
    uint64_t reserved_id = 0;
    DeadLetterCounts dead_letters;
  };
  struct OpenPipeline {
    uint32_t pipeline = 0;
    std::string name;
    PipelineLimits limits;
    Counters counters;
    std::array<uint64_t, checkpoints_retained_max> retained{};  // ascending
    size_t retained_count = 0;
    uint64_t pinned = 0;  // kept besides them, with all that are newer; 0: none

    /// The oldest retained checkpoint once `next` is one.
    uint64_t oldest_with(uint64_t next) const;
    void retain(uint64_t id);
    /// That is needed: retained or pinned.
    uint64_t oldest() const;
  };
  struct Part {
    uint32_t op = 0;
    uint32_t pipeline = 0;
    uint64_t checkpoint_id = 0;  // that its stored state belongs to; 0: none
    PartSet set;                 // of that checkpoint
    uint64_t writing_id = 0;     // in the transaction under way
    PartSet writing;
    /// What is left to delete: the `after` of each retained checkpoint, and how far it was done.
    struct Trimmed {
      uint64_t checkpoint_id = 0;
      std::array<uint64_t, 4> after{};
    };
    std::array<Trimmed, checkpoints_retained_max> trimmed{};
    size_t trimmed_count = 0;
    std::array<uint64_t, 4> deleted{};
    /// Chunks that retained checkpoints have rewritten, oldest first: their older versions go when no checkpoint is left that
    /// needs them. Of what does not fit here they go when the chunk is rewritten the next time.
    struct Rewritten {
      uint64_t checkpoint_id = 0;
      uint32_t chunk = 0;
    };
    static constexpr size_t rewritten_max = 256;
    std::vector<Rewritten> rewritten;

    /// What no checkpoint from `oldest` on needs.
    const std::array<uint64_t, 4>& not_needed(uint64_t oldest) const;
    void written(uint64_t oldest);
  };
  class Loader;
  class Exporter;

  Status open_database(const StoreOptions& options);
  Status open_savepoint(const StoreOptions& options);
  Status check_suspect();
  Status reserve_space(const StoreOptions& options);
  Status prepare();

  OpenPipeline* find_pipeline(uint32_t pipeline);
  Part* find_part(uint32_t op);
  Status add_missing_pipeline(std::string_view name);
  Status read_counters(OpenPipeline& pipeline, const RegisteredPipeline& row);
  Status read_retained(OpenPipeline& pipeline);
  Status read_part(Part& part);
  Result<uint32_t> find_or_add_operator(uint32_t pipeline, std::string_view uid);
  BlobTable& table(BlobKind kind) { return blobs_[static_cast<size_t>(kind) - static_cast<size_t>(BlobKind::Delta)]; }

  Status change(FunctionRef<Status()> body);
  Status fail(Status status);
  Status check(const CheckpointWrite& write, const OpenPipeline& pipeline);
  Status check_blob(const Blob& blob, uint32_t pipeline);
  Status write_checkpoint(const CheckpointWrite& write, const OpenPipeline& pipeline, Counters& next);
  Status begin_parts(const CheckpointWrite& write, const OpenPipeline& pipeline);
  Status write_blob(const Blob& blob, uint64_t id, uint64_t oldest);
  Status write_chunk(const Blob& blob, uint64_t id, uint64_t oldest);
  Status write_parts(const CheckpointWrite& write);
  Status trim(const Trim& wanted, uint64_t id);
  Status trim_chunks(PartSet& set, uint32_t op, uint64_t up_to, uint64_t id);
  Status forget_blobs(BlobKind kind, uint32_t op, uint64_t after, uint64_t up_to);
  Status forget_not_needed(uint64_t id, uint64_t oldest);
  Status forget_not_needed(const Part& part, uint64_t oldest);
  Status forget_old_versions(const CheckpointWrite& write, uint64_t oldest);
  Status write_dead_letters(const CheckpointWrite& write, const OpenPipeline& pipeline, Counters& next);
  Status write_row(const CheckpointWrite& write);
  Status write_registry(const OpenPipeline& pipeline, const Counters& next);

  struct Damage {
    uint64_t id = 0;
    Status status;
  };
  Status load_sound(OpenPipeline& opened, RestoreHandler& handler);
  Status choose(uint32_t pipeline, uint64_t& sound, std::vector<Damage>& damaged);
  Status announce(uint32_t pipeline, const Damage& damage, std::string_view copy, RestoreHandler& handler);
  Status keep_copy(uint64_t damaged, std::string& copy);
  Status forget_after(OpenPipeline& pipeline, uint64_t keep);
  Status check_checkpoint(uint32_t pipeline, uint64_t id);
  Status forget_pipeline(uint32_t pipeline);
  Status fill_and_check(uint32_t pipeline, FunctionRef<Status()> fill);
  Status read_again(OpenPipeline& pipeline);

  StateLock lock_;
  NewestFile newest_;
  Database database_;
  Transactions transactions_;
  MetaTable meta_;
  RegistryTable registry_;
  LayoutTable layouts_;
  KeptTable kept_;
  CheckpointTable checkpoints_;
  PartTable states_;
  ChunkTable chunks_;
  std::array<BlobTable, 3> blobs_{BlobTable(BlobKind::Delta), BlobTable(BlobKind::Outbox), BlobTable(BlobKind::SessionTail)};
  DeadLetterTable dead_letters_;

  std::string state_dir_;
  std::string copy_;  // of the database as it was found, once a checkpoint was set aside
  bool fresh_if_corrupt_ = false;
  bool read_only_ = false;
  uint64_t instance_ = 0;
  NewestNote imported_;  // in the replacement under way
  uint32_t wal_frames_max_ = 0;
  Status space_reserved_;
  Status broken_;  // after Io or Corrupt in a write: what every later write returns
  std::vector<OpenPipeline> pipelines_;
  std::vector<Part> parts_;
};

}  // namespace weir
