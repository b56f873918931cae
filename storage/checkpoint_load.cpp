// The reading half of SqliteCheckpointStore. The row of a checkpoint says which parts there must be, the rows of its parts say
// which blobs; each is held against its CRC, each number against what was counted. All of that is checked before anything is
// handed over, so that a damaged checkpoint can still give way to the one before it.
#include <algorithm>

#include "storage/checkpoint_store.h"
#include "storage/row_key.h"
#include "storage/set_aside.h"

namespace weir {

/// Walks over one checkpoint; to check it, or to hand it over.
class SqliteCheckpointStore::Loader {
 public:
  Loader(SqliteCheckpointStore& store, RestoreHandler* handler) : store_(store), handler_(handler) {}

  Status walk(uint32_t pipeline, uint64_t id) {
    id_ = id;
    uint64_t parts_expected = 0;
    uint64_t rows_expected = 0;
    WEIR_TRY(store_.checkpoints_.read(pipeline, id, [&](const CheckpointRow& row) {
      parts_expected = row.operator_blobs;
      rows_expected = row.blob_rows;
      return handler_ == nullptr ? Status() : handler_->on_manifest(row.manifest);
    }));
    WEIR_TRY(store_.registry_.each_operator(pipeline, [&](uint32_t op) { return walk_part(op); }));
    if (parts_ != parts_expected) return {Code::Corrupt, "the checkpoint wrote the state of other parts than there are"};
    if (rows_ != rows_expected) return {Code::Corrupt, "the checkpoint counted other blobs than there are"};
    return {};
  }

  /// One part at a checkpoint; Code::NotFound if it has no state there.
  Status walk_one(uint32_t op, uint64_t id) {
    id_ = id;
    WEIR_TRY(walk_part(op));
    return parts_ == 1 ? Status() : Status(Code::NotFound, "the part has no state at this checkpoint");
  }

 private:
  Status walk_part(uint32_t op) {
    Status status = store_.states_.read(op, id_, [&](const PartSet& set, Bytes bytes) -> Status {
      ++parts_;
      ++rows_;
      if (handler_ != nullptr) WEIR_TRY(handler_->on_blob(op, {BlobKind::Operator, 0, id_, bytes}));
      return walk_blobs(op, set);
    });
    // A part that the checkpoint does not have: it has left the configuration, or it came later.
    return status.code() == Code::NotFound ? Status() : status;
  }

  Status walk_blobs(uint32_t op, const PartSet& set) {
    uint64_t blobs = 0;
    uint64_t versions = 0;
    auto visit = [&](const StoredBlob& blob) {
      ++blobs;
      if (blob.kind == BlobKind::Base) versions += blob.checkpoint_id;
      return deliver(op, blob);
    };
    WEIR_TRY(store_.chunks_.each(op, set.after_of(BlobKind::Base), id_, visit));
    for (BlobKind kind : {BlobKind::Delta, BlobKind::SessionTail, BlobKind::Outbox})
      WEIR_TRY(store_.table(kind).each(op, set.after_of(kind), id_, visit));
    rows_ += blobs;
    if (blobs != set.blobs)
      return {Code::Corrupt, "a part of the checkpoint counted other blobs than there are", static_cast<int>(op)};
    if (versions != set.versions)
      return {Code::Corrupt, "a part of the checkpoint has other versions of its chunks than it wrote", static_cast<int>(op)};
    return {};
  }

  Status deliver(uint32_t op, const StoredBlob& blob) {
    if (handler_ == nullptr) return {};
    return blob.kind == BlobKind::Outbox ? handler_->on_outbox(op, blob.checkpoint_id, blob.bytes.size())
                                         : handler_->on_blob(op, blob);
  }

  SqliteCheckpointStore& store_;
  RestoreHandler* handler_;
  uint64_t id_ = 0;
  uint64_t parts_ = 0;
  uint64_t rows_ = 0;
};

/// Looks for the newest sound checkpoint, and collects those that are newer and are not.
Status SqliteCheckpointStore::choose(uint32_t pipeline, uint64_t& sound, std::vector<Damage>& damaged) {
  std::vector<uint64_t> ids;
  WEIR_TRY(checkpoints_.each_id(pipeline, [&](uint64_t id) {
    ids.push_back(id);
    return Status();
  }));
  uint64_t stray = 0;
  WEIR_TRY(registry_.each_operator(pipeline, [&](uint32_t op) {
    uint64_t id = 0;
    PartSet set;
    Status status = states_.newest(op, id, set);
    stray = std::max(stray, id);
    return status;
  }));
  if (stray > (ids.empty() ? 0 : ids.front()))
    damaged.push_back({stray, {Code::Corrupt, "there is state of a checkpoint whose own row is missing"}});
  sound = 0;
  for (uint64_t id : ids) {
    const Status status = Loader(*this, nullptr).walk(pipeline, id);
    if (status.ok()) {
      sound = id;
      return {};
    }
    // A key that one way of reading finds and another does not is out of its order.
    const bool misplaced = status.code() == Code::NotFound;
    if (!misplaced && status.code() != Code::Corrupt) return status;
    damaged.push_back({id, misplaced ? Status(Code::Corrupt, "the row of the checkpoint is out of its place") : status});
  }
  return {};
}

Status SqliteCheckpointStore::announce(uint32_t pipeline, const Damage& damage, std::string_view copy,
                                       RestoreHandler& handler) {
  DamagedCheckpoint checkpoint{damage.id, damage.status, {}, copy};
  bool told = false;
  Status status = checkpoints_.read(pipeline, damage.id, [&](const CheckpointRow& row) {
    checkpoint.manifest = row.manifest;
    handler.on_damaged(checkpoint);
    told = true;
    return Status();
  });
  if (!told) handler.on_damaged(checkpoint);
  return status.code() == Code::Corrupt || status.code() == Code::NotFound ? Status() : status;
}

Status SqliteCheckpointStore::load(uint32_t pipeline, RestoreHandler& handler) {
  OpenPipeline* opened = find_pipeline(pipeline);
  if (opened == nullptr) return {Code::InvalidArgument, "the pipeline was not opened"};
  const Status status = load_sound(*opened, handler);
  // What is refused is left as it is, also by closing.
  if (status.code() == Code::Corrupt || status.code() == Code::Io) database_.leave_wal_at_close();
  return status;
}

Status SqliteCheckpointStore::load_sound(OpenPipeline& opened, RestoreHandler& handler) {
  const uint32_t pipeline = opened.pipeline;
  uint64_t sound = 0;
  std::vector<Damage> damaged;
  WEIR_TRY(choose(pipeline, sound, damaged));
  const bool going_on = damaged.empty() || sound != 0 || fresh_if_corrupt_;
  std::string copy;
  if (!damaged.empty() && going_on && !read_only_) WEIR_TRY(keep_copy(damaged.front().id, copy));
  for (const Damage& damage : damaged) WEIR_TRY(announce(pipeline, damage, copy, handler));
  if (!going_on) return {Code::Corrupt, "no retained checkpoint is sound"};
  if (!damaged.empty() && !read_only_) WEIR_TRY(forget_after(opened, sound));
  if (sound == 0) return {Code::NotFound, "the pipeline has no checkpoint yet"};
  return Loader(*this, &handler).walk(pipeline, sound);
}

Status SqliteCheckpointStore::check_checkpoint(uint32_t pipeline, uint64_t id) {
  return Loader(*this, nullptr).walk(pipeline, id);
}

Status SqliteCheckpointStore::load_kept(const KeptPart& part, RestoreHandler& handler) {
  WEIR_TRY(Loader(*this, nullptr).walk_one(part.op, part.checkpoint_id));
  return Loader(*this, &handler).walk_one(part.op, part.checkpoint_id);
}

/// One copy per start: what the first pipeline finds is what all of them found.
Status SqliteCheckpointStore::keep_copy(uint64_t damaged, std::string& copy) {
  // Where the file's own structure is damaged too, writing would make it worse.
  if (Status structure = database_.check_structure(StructureCheck::Quick); !structure.ok()) {
    newest_.set_database_suspect(true);
    return structure;
  }
  if (copy_.empty()) {
    Result<std::string> kept = copy_aside(database_, state_dir_, damaged);
    if (!kept.ok() && kept.status().code() == Code::Corrupt) return kept.status();
    if (kept.ok()) copy_ = kept.value();
  }
  copy = copy_;
  return {};
}

/// Takes everything out that is newer than checkpoint `keep`.
Status SqliteCheckpointStore::forget_after(OpenPipeline& pipeline, uint64_t keep) {
  std::vector<uint32_t> ops;
  WEIR_TRY(registry_.each_operator(pipeline.pipeline, [&](uint32_t op) {
    ops.push_back(op);
    return Status();
  }));
  auto forget_all = [&]() -> Status {
    for (uint32_t op : ops)
      for (BlobKind kind : {BlobKind::Operator, BlobKind::Base, BlobKind::Delta, BlobKind::Outbox, BlobKind::SessionTail})
        WEIR_TRY(forget_blobs(kind, op, keep, row_key::checkpoint_id_max));
    return checkpoints_.forget_after(pipeline.pipeline, keep);
  };
  WEIR_TRY(change(forget_all));
  return read_again(pipeline);
}

Status SqliteCheckpointStore::read_again(OpenPipeline& pipeline) {
  WEIR_TRY(read_retained(pipeline));
  for (Part& part : parts_)
    if (part.pipeline == pipeline.pipeline) WEIR_TRY(read_part(part));
  return {};
}

}  // namespace weir
